#include "common/varlink/test_loop.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace procsup {

class TestLoop::Source final : public Watch {
public:
    Source(TestLoop& loop, int fd, TimePoint when, std::function<void(std::uint32_t)> callback)
        : loop_(loop), fd_(fd), when_(when) {
        loop_.callbacks_[this] = std::make_shared<std::function<void(std::uint32_t)>>(std::move(callback));
    }
    ~Source() override {
        if (fd_ >= 0) ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
        loop_.callbacks_.erase(this);
        loop_.timers_.remove(this);
        loop_.steps_.remove(this);
    }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    void set_events(std::uint32_t events) override {
        if (fd_ >= 0) control(EPOLL_CTL_MOD, events);
    }
    bool control(int operation, std::uint32_t events) {
        epoll_event event{};
        event.events = events;
        event.data.ptr = this;
        return ::epoll_ctl(loop_.epoll_.get(), operation, fd_, &event) == 0;
    }
    TimePoint when() const { return when_; }

private:
    TestLoop& loop_;
    int fd_;
    TimePoint when_;
};

TestLoop::TestLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
TestLoop::~TestLoop() = default;

std::unique_ptr<Watch> TestLoop::watch_fd(int fd, std::uint32_t events, Priority,
                                          std::function<void(std::uint32_t)> ready) {
    auto source = std::make_unique<Source>(*this, fd, TimePoint(), std::move(ready));
    if (!source->control(EPOLL_CTL_ADD, events)) return nullptr;
    return source;
}

std::unique_ptr<Watch> TestLoop::call_at(TimePoint when, std::function<void()> due) {
    auto source = std::make_unique<Source>(*this, -1, when, [due = std::move(due)](std::uint32_t) { due(); });
    timers_.push_back(source.get());
    return source;
}

std::unique_ptr<Watch> TestLoop::call_each_turn(Priority, std::function<void()> step) {
    auto source = std::make_unique<Source>(*this, -1, TimePoint(), [step = std::move(step)](std::uint32_t) { step(); });
    steps_.push_back(source.get());
    return source;
}

TimePoint TestLoop::now() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now()) + ahead_;
}

bool TestLoop::run_until(const std::function<bool()>& done, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        turn(std::chrono::milliseconds(5));
    }
    return true;
}

int TestLoop::run_while_busy(int limit) {
    int turns = 0;
    while (turns < limit && turn(std::chrono::milliseconds(0))) ++turns;
    return turns;
}

bool TestLoop::turn(std::chrono::milliseconds longest) {
    std::array<epoll_event, 64> events;
    const int timeout = steps_.empty() ? static_cast<int>(longest.count()) : 0;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
    bool busy = count > 0;
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        const auto found = callbacks_.find(static_cast<Source*>(event.data.ptr));
        if (found == callbacks_.end()) continue;  // destroyed earlier in this turn
        const auto callback = found->second;
        (*callback)(event.events);
    }
    busy |= call_due();
    busy |= call_steps();
    return busy;
}

bool TestLoop::call_due() {
    for (auto* const timer : timers_) {
        if (timer->when() > now()) continue;
        timers_.remove(timer);
        const auto callback = callbacks_.at(timer);
        (*callback)(0);
        return true;  // the list may have changed
    }
    return false;
}

bool TestLoop::call_steps() {
    const std::vector<Source*> steps(steps_.begin(), steps_.end());
    for (auto* const step : steps) {
        const auto found = callbacks_.find(step);
        if (found == callbacks_.end()) continue;
        const auto callback = found->second;
        (*callback)(0);
    }
    return !steps.empty();
}

}  // namespace procsup
