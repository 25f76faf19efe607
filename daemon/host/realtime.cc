#include "daemon/host/realtime.h"

#include <sched.h>
#include <sys/resource.h>

namespace procsup {

bool Realtime::change(int policy, int priority) {
    sched_param parameter{};
    parameter.sched_priority = priority;
    // Who lacks CAP_SYS_NICE cannot take the flag back: it stays also with the usual policy.
    return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &parameter) == 0;
}

bool Realtime::claim() {
    nice_ = getpriority(PRIO_PROCESS, 0);
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
