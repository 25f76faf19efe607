#pragma once

#include <functional>

#include "daemon/control/context.h"

namespace procsup {

/// Interface io.procsupd.Manager. `clients` tells how many are connected and how many were refused.
varlink::Interface manager_interface(ControlContext& context,
                                     const std::function<std::pair<std::size_t, std::size_t>()>& clients);

}  // namespace procsup
