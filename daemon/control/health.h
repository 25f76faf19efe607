#pragma once

#include "common/json.h"
#include "daemon/control/context.h"
#include "daemon/control/instance_json.h"
#include "daemon/control/waiters.h"

namespace procsup {

/// Job.CheckHealth: looks once more at each instance, and answers when all looks are over.
void check_health(const ControlContext& context, Waiters& waiters, varlink::PendingCall call);

/// What the look found that was asked for last: "healthy: tcp 127.0.0.1:80", "unhealthy: …: cannot connect".
std::string checked_text(const Instance& instance);

/// Members health, healthSinceUSec, healthProblem, healthRestarts and healthRestartDueUSec, of what is looked at.
void write_health(json::Writer& writer, const Instance& instance, const HostPort& host, TimePoint now, Sees sees);

}  // namespace procsup
