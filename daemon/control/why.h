#pragma once

#include <string>
#include <vector>

#include "common/json.h"
#include "daemon/control/host_port.h"

namespace procsup {

/// The name of the first of what an instance waits for, or cannot be started without; empty: it is not that.
std::string waited_for(const Instance& instance);

/// The answer of method Why: the state, its cause, what was before (newest first), and what to do about it. `behind`: what it waits
/// for, what that waits for, and so on.
void write_why(json::Writer& writer, const Instance& instance, const std::vector<const Instance*>& behind,
               const HostPort& host, TimePoint now);

}  // namespace procsup
