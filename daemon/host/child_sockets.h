#pragma once

#include "daemon/host/child.h"
#include "daemon/host/child_step.h"

namespace procsup {

/// In the child, with a table of its own: makes the sockets that come over plan.ready_source its descriptors from
/// kFirstSocketFd on, and what follows them plan.ready_target. Says in its environment whose they are.
Step take_sockets(ChildPlan& plan);

}  // namespace procsup
