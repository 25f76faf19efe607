#pragma once

namespace procsup {

/// The daemon's own real-time priority: the lowest, of SCHED_RR (sched(7)). Among thousands of runnable processes a fair
/// share of the processors is next to nothing, and the daemon is to answer, and stop them, also then.
class Realtime {
public:
    /// False when nothing was changed: it needs CAP_SYS_NICE or RLIMIT_RTPRIO, or who started the daemon has chosen.
    bool claim();
    /// While many processes are started their first steps are what the daemon waits for: it is one among them.
    void stand_back(bool back);
    /// Whether a child made now inherits the priority, which it has to give up (ChildPlan::drop_realtime).
    bool in_force() const { return in_force_; }
    /// In nanoseconds, what such a child has to set: with the priority it inherits 0 (prctl(2), PR_SET_TIMERSLACK).
    unsigned long timer_slack() const { return timer_slack_; }

private:
    bool change(int policy, int priority);

    unsigned long timer_slack_ = 0;
    bool claimed_ = false;
    bool in_force_ = false;
};

}  // namespace procsup
