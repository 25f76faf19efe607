#pragma once

#include <functional>
#include <memory>

#include "common/event_loop.h"
#include "common/result.h"

struct sd_event;
struct sd_event_source;

namespace procsup {

/// The event loop of procsupd, on libsystemd's sd-event; the only place that knows it. Its sources report through one
/// trampoline: what a callback throws ends the loop in order, because it must not pass through C frames. All signals
/// that are watched must be blocked before.
class SdEventLoop final : public EventLoop {
public:
    /// Called with the source's description and the exception's text when a callback threw.
    using Failure = std::function<void(std::string_view what)>;

    static Result<std::unique_ptr<SdEventLoop>> create();
    ~SdEventLoop() override;
    SdEventLoop(const SdEventLoop&) = delete;
    SdEventLoop& operator=(const SdEventLoop&) = delete;

    std::unique_ptr<Watch> watch_fd(int fd, std::uint32_t events, Priority priority,
                                    std::function<void(std::uint32_t)> ready) override;
    std::unique_ptr<Watch> call_at(TimePoint when, std::function<void()> due) override;
    std::unique_ptr<Watch> call_each_turn(Priority priority, std::function<void()> step) override;
    TimePoint now() const override;

    /// Calls `arrived` after `signal` has come, once or more often than once for several (they coalesce).
    std::unique_ptr<Watch> watch_signal(int signal, Priority priority, std::function<void()> arrived);

    /// A timer that is moved often: one source for its whole life.
    class Timer;
    std::unique_ptr<Timer> make_timer(std::function<void()> due);

    /// Called before every callback of a source, with the time.
    void set_before_callback(std::function<void(TimePoint)> hook) { before_callback_ = std::move(hook); }
    /// Called after every callback of a source. For what must be settled before the loop sleeps.
    void set_after_callback(std::function<void()> hook) { after_callback_ = std::move(hook); }
    void set_on_failure(Failure failure) { on_failure_ = std::move(failure); }

    /// Runs until end(); returns its code, or the Error of the loop itself.
    Result<int> run();
    void end(int code);

    /// The longest that callbacks of one turn have kept the loop busy.
    std::chrono::microseconds longest_callback() const { return longest_; }

private:
    class Source;
    SdEventLoop() = default;
    void dispatched(const char* what, const std::function<void()>& callback);

    sd_event* event_ = nullptr;
    std::function<void(TimePoint)> before_callback_;
    std::function<void()> after_callback_;
    Failure on_failure_;
    std::chrono::microseconds longest_{0};
};

class SdEventLoop::Timer {
public:
    virtual ~Timer() = default;
    virtual void set(TimePoint when) = 0;
    virtual void clear() = 0;
};

}  // namespace procsup
