#pragma once

#include <string>

#include "daemon/control/context.h"

namespace procsup {

/// When a task is started next, and what has become of the run that was due last, for people; empty: it has no schedule.
std::string schedule_text(const Supervisor& supervisor, const Instance& instance, TimePoint now);

/// io.procsupd.Job.Schedules
void schedules(const ControlContext& context, varlink::PendingCall call);

}  // namespace procsup
