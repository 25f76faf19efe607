#pragma once

#include "daemon/control/context.h"

namespace procsup {

/// Manager.Metrics. `clients`: how many are connected, and how many were refused.
void metrics(const ControlContext& context, std::pair<std::size_t, std::size_t> clients, varlink::PendingCall call);

}  // namespace procsup
