#pragma once

#include "daemon/control/context.h"
#include "daemon/control/rolls.h"
#include "daemon/control/runs.h"
#include "daemon/control/subscriptions.h"
#include "daemon/control/waiters.h"

namespace procsup {

/// Interface io.procsupd.Job.
varlink::Interface job_interface(ControlContext& context, Waiters& waiters, Subscriptions& subscriptions, Runs& runs,
                                 Rolls& rolls);

}  // namespace procsup
