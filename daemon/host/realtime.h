#pragma once

#include <optional>

namespace procsup {

/// The daemon's own real-time priority: the lowest, of SCHED_RR (sched(7)). Among thousands of runnable processes a fair
/// share of the processors is next to nothing, and the daemon is to answer, and stop them, also then. Its children do not have
/// it: the kernel takes it off when it makes them (SCHED_RESET_ON_FORK).
class Realtime {
public:
    /// False when nothing was changed: it needs CAP_SYS_NICE or RLIMIT_RTPRIO, or who started the daemon has chosen.
    bool claim();
    /// While many processes are started their first steps are what the daemon waits for: it is one among them.
    void stand_back(bool back);
    /// The daemon's nice value where the kernel takes that off its children too, and they are to have it.
    std::optional<int> lost_nice() const { return claimed_ && nice_ != 0 ? std::optional(nice_) : std::nullopt; }

private:
    bool change(int policy, int priority);

    int nice_ = 0;
    bool claimed_ = false;
    bool in_force_ = false;
};

}  // namespace procsup
