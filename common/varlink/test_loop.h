#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

#include "common/event_loop.h"
#include "common/fd.h"

namespace procsup {

/// An EventLoop for tests: epoll and a clock that tests can put forward. Nothing else uses it.
class TestLoop final : public EventLoop {
public:
    TestLoop();
    ~TestLoop() override;
    TestLoop(const TestLoop&) = delete;
    TestLoop& operator=(const TestLoop&) = delete;

    std::unique_ptr<Watch> watch_fd(int fd, std::uint32_t events, Priority priority,
                                    std::function<void(std::uint32_t)> ready) override;
    std::unique_ptr<Watch> call_at(TimePoint when, std::function<void()> due) override;
    std::unique_ptr<Watch> call_each_turn(Priority priority, std::function<void()> step) override;
    TimePoint now() const override;

    /// Makes now() later than the machine's clock by so much more.
    void put_forward(std::chrono::microseconds by) { ahead_ += by; }
    /// Turns until `done` holds; false when it does not within `limit` of real time.
    bool run_until(const std::function<bool()>& done, std::chrono::seconds limit = std::chrono::seconds(20));
    /// Turns while something is ready, without waiting; returns the number of turns, at most `limit`.
    int run_while_busy(int limit = 10000);

private:
    class Source;
    bool turn(std::chrono::milliseconds longest);
    bool call_due();
    bool call_steps();

    Fd epoll_;
    std::chrono::microseconds ahead_{0};
    // Shared with the turn that calls them: a source may be destroyed in its own callback.
    std::unordered_map<Source*, std::shared_ptr<std::function<void(std::uint32_t)>>> callbacks_;
    std::list<Source*> timers_;
    std::list<Source*> steps_;
};

}  // namespace procsup
