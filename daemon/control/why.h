#pragma once

#include "common/json.h"
#include "daemon/control/host_port.h"

namespace procsup {

/// The answer of method Why: the state, its cause, what was before (newest first), and what to do about it.
void write_why(json::Writer& writer, const Instance& instance, const HostPort& host, TimePoint now);

}  // namespace procsup
