#pragma once

#include "conf/verdict_window.h"
#include "daemon/probe/attempt.h"
#include "daemon/probe/command_line.h"

namespace procsup::probe {

/// What is said of health on --report, a line each: "healthy", "unhealthy: cannot connect", "healthy: cannot connect" where the last
/// look has failed and that is not enough, "unknown: cannot connect" before there is a verdict.
class HealthReport {
public:
    explicit HealthReport(int fd) : fd_(fd) {}

    /// Says nothing when that is what was said last. `reason` of a look that has failed; empty: it has not.
    void say(HealthVerdict verdict, const Line& reason);

private:
    int fd_;
    Line told_;
};

/// When a watch looks: at once, and then every --interval, beginning at a moment that is another one for each process, so that
/// many that were started together do not look together.
class Pace {
public:
    Pace(long interval, std::int64_t begun, std::uint64_t seed);

    /// When the next look is due after one that began at `begun` and ended at `now`.
    std::int64_t next(std::int64_t begun, std::int64_t now);

private:
    std::int64_t interval_;
    std::int64_t first_;  ///< the second look
    bool is_first_ = true;
};

}  // namespace procsup::probe
