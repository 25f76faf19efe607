#pragma once

#include <cstdint>

#include "daemon/probe/line.h"
#include "daemon/probe/sleeper.h"

namespace procsup::probe {

enum class Verdict {
    Ready,
    NotReady,
    Never,  ///< no further attempt can be better
};

constexpr int kExitReady = 0, kExitFailed = 1, kExitUsage = 2;

/// One attempt: its time, and what it finds out.
struct Attempt {
    Sleeper& sleeper;
    std::int64_t begun;
    std::int64_t deadline;
    long timeout;                 ///< from one to the other, in ms
    Line reason{};                ///< why it has not succeeded
    bool cut_short = false;       ///< by SIGTERM, so that the reason says nothing about the job
    int exit_code = kExitFailed;  ///< of Never

    /// As "cannot connect: no answer" needs it at the end: "within 2s", or "yet" when it was cut short.
    void add_patience() {
        if (cut_short) {
            reason << " yet";
        } else {
            (reason << " within ").duration(timeout);
        }
    }
};

}  // namespace procsup::probe
