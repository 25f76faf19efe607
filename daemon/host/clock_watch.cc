#include "daemon/host/clock_watch.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace procsup {
namespace {

Duration time_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::floor<Duration>(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

/// They cannot be read at one instant: the other one is compared with the middle of two looks.
Duration ahead_of_monotonic(clockid_t clock) {
    const auto before = time_of(CLOCK_MONOTONIC);
    const auto other = time_of(clock);
    return other - (before + time_of(CLOCK_MONOTONIC)) / 2;
}

}  // namespace

Clocks read_clocks() { return {ahead_of_monotonic(CLOCK_REALTIME), ahead_of_monotonic(CLOCK_BOOTTIME)}; }

Result<std::unique_ptr<ClockWatch>> ClockWatch::create(EventLoop& loop, std::function<void()> changed) {
    Fd timer(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer) return os_failure("make a timer for changes of the clock", errno);
    std::unique_ptr<ClockWatch> watch(new ClockWatch(std::move(timer), std::move(changed)));
    if (auto armed = watch->arm(); !armed) return armed.error();
    auto* self = watch.get();
    watch->watch_ = loop.watch_fd(self->timer_.get(), EPOLLIN, Priority::Timer, [self](std::uint32_t) {
        std::uint64_t expired = 0;
        // ECANCELED says that the clock was set; whatever it says, the timer is spent.
        [[maybe_unused]] const auto ignored = read(self->timer_.get(), &expired, sizeof(expired));
        [[maybe_unused]] const auto armed = self->arm();
        self->changed_();
    });
    return watch;
}

/// For a time that does not come: only its end by a change of the clock is of interest.
Result<void> ClockWatch::arm() {
    itimerspec never{};
    never.it_value.tv_sec = std::numeric_limits<time_t>::max();
    if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) < 0)
        return os_failure("set a timer for changes of the clock", errno);
    return {};
}

}  // namespace procsup
