#pragma once

#include "daemon/host/containment/containment.h"

namespace procsup {

/// Runs held by a keeper process each (daemon/keeper/protocol.h), which executes `program`. `no_cgroups`: why it is not done by
/// cgroups. Needs no right that a user lacks.
std::unique_ptr<Containment> contain_by_keepers(std::string program, std::string no_cgroups, EventLoop& loop,
                                                TreeObserver& observer);

}  // namespace procsup
