#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "conf/verdict_window.h"
#include "daemon/engine/restart_policy.h"

namespace procsup {

/// What the looks at the health of an instance have found, since the run was ready.
struct HealthState {
    HealthVerdict verdict = HealthVerdict::Unknown;
    TimePoint since{};    ///< of the verdict; zero: there was no look yet
    std::string words{};  ///< why the last look has failed: "cannot connect to …"; empty: it has not, or there was none
    std::string said{};  ///< what its command has written last then
};

/// One of the ways in which is looked: by a probe, or at what the run uses.
struct HealthPart {
    HealthVerdict verdict = HealthVerdict::Unknown;
    std::string words{}, said{};  ///< as of HealthState
};

/// What the run uses, for [health] memory_above and cpu_above.
struct UsageWatch {
    HealthPart part{};
    VerdictWindow window;
    TimePoint begun{};       ///< since when is looked, for `grace`
    bool measuring = false;  ///< it was asked for
    TimePoint measured{};    ///< when `cpu` was; zero: it was not
    Duration cpu{};
};

/// The looks that somebody has asked for, counted since the instance exists.
struct HealthChecks {
    std::uint32_t begun = 0;
    std::uint32_t over = 0;
    bool healthy = false;   ///< of the last one that is over
    int parts = 0;          ///< that are not over, of the one that goes on
    bool measures = false;  ///< what the run uses is one of them
    std::string words{};    ///< as of HealthState
    std::string said{};
};

/// All that an instance keeps for [health]; made when it is needed first.
struct HealthWatch {
    HealthState state;
    HealthPart probe;                   ///< what its probe has found
    std::optional<UsageWatch> usage{};  ///< where the job has thresholds
    HealthChecks checks;
    StartHistory restarts;  ///< those that were made because it was unhealthy
    std::string told{};     ///< at the end of the cause of the run: "; unhealthy: …"
    bool replaced = false;  ///< its probe was ended for another one to look as the job says now
    bool mended = false;    ///< it was restarted because it was unhealthy, and is not ready again
    bool waits = false;     ///< it is unhealthy, and another instance of its job is restarted for that first
};

}  // namespace procsup
