#pragma once

#include <cstdint>
#include <string>

#include "daemon/engine/restart_policy.h"

namespace procsup {

/// What the looks at the health of an instance have found, since the run was ready.
struct HealthState {
    enum class Verdict { Unknown, Healthy, Unhealthy };

    Verdict verdict = Verdict::Unknown;
    TimePoint since{};    ///< of the verdict; zero: there was no look yet
    std::string words{};  ///< why the last look has failed: "cannot connect to …"; empty: it has not, or there was none
    std::string said{};  ///< what its command has written last then
};

/// The looks that somebody has asked for, counted since the instance exists.
struct HealthChecks {
    std::uint32_t begun = 0;
    std::uint32_t over = 0;
    bool healthy = false;  ///< of the last one that is over
    std::string words{};   ///< as of HealthState
    std::string said{};
};

/// All that an instance keeps for [health]; made when it is needed first.
struct HealthWatch {
    HealthState state;
    HealthChecks checks;
    StartHistory restarts;  ///< those that were made because it was unhealthy
    std::string told{};     ///< at the end of the cause of the run: "; unhealthy: …"
    bool replaced = false;  ///< its probe was ended for another one to look as the job says now
    bool mended = false;    ///< it was restarted because it was unhealthy, and is not ready again
    bool waits = false;     ///< it is unhealthy, and another instance of its job is restarted for that first
};

}  // namespace procsup
