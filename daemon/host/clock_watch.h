#pragma once

#include <functional>
#include <memory>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"
#include "daemon/engine/timetable.h"

namespace procsup {

/// How far the clocks of the machine are apart, at the moment.
Clocks read_clocks();

/// Tells when a clock was set, by whomever, or the machine has slept: CLOCK_REALTIME is another distance from CLOCK_MONOTONIC then
/// (TFD_TIMER_CANCEL_ON_SET of timerfd_create(2)). Costs no wake-up otherwise. The loop must outlive it.
class ClockWatch {
public:
    static Result<std::unique_ptr<ClockWatch>> create(EventLoop& loop, std::function<void()> changed);

private:
    ClockWatch(Fd timer, std::function<void()> changed) : timer_(std::move(timer)), changed_(std::move(changed)) {}
    Result<void> arm();

    Fd timer_;
    std::function<void()> changed_;
    std::unique_ptr<Watch> watch_;
};

}  // namespace procsup
