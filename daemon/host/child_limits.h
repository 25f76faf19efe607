#pragma once

#include "daemon/host/child.h"
#include "daemon/host/child_step.h"

/// Steps of a child by which it gets its job's limits and priorities. Under the rules of child.h. What the kernel refuses a job
/// that is not strict comes as near as it can, and is noted in ChildPlan::unmet.
namespace procsup {

/// Before the ids change; the plan has memory of its own.
Step set_oom_score(ChildPlan& plan);

/// Scheduling, nice, I/O priority and CPUs, with the daemon's privileges: before the ids change, and before set_limits(), which can
/// take away what these need.
Step set_priorities(ChildPlan& plan);

/// All limits but RLIMIT_NOFILE; before the ids change too. RLIMIT_NOFILE is only made large enough to be set later.
Step set_limits(ChildPlan& plan);

/// RLIMIT_NOFILE comes last: a small one would refuse the descriptors that the steps before need.
Step set_open_files(ChildPlan& plan);

}  // namespace procsup
