#include "daemon/host/realtime.h"

#include <sched.h>
#include <sys/prctl.h>

namespace procsup {

bool Realtime::change(int policy, int priority) {
    sched_param parameter{};
    parameter.sched_priority = priority;
    return sched_setscheduler(0, policy, &parameter) == 0;
}

bool Realtime::claim() {
    timer_slack_ = static_cast<unsigned long>(prctl(PR_GET_TIMERSLACK));
    claimed_ = sched_getscheduler(0) == SCHED_OTHER && change(SCHED_RR, sched_get_priority_min(SCHED_RR));
    in_force_ = claimed_;
    return claimed_;
}

void Realtime::stand_back(bool back) {
    if (!claimed_ || in_force_ == !back) return;
    const bool changed = back ? change(SCHED_OTHER, 0) : change(SCHED_RR, sched_get_priority_min(SCHED_RR));
    if (changed) in_force_ = !back;
}

}  // namespace procsup
