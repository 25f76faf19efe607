#pragma once

#include "daemon/control/context.h"

namespace procsup {

/// Interface io.procsupd.Log.
varlink::Interface log_interface(ControlContext& context);

}  // namespace procsup
