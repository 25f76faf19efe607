#pragma once

#include "daemon/control/context.h"

namespace procsup {

/// Manager.Groups
void groups(const ControlContext& context, varlink::PendingCall call);

}  // namespace procsup
