#pragma once

#include "daemon/host/containment/containment.h"

namespace procsup {

/// Runs held by a keeper process each (daemon/keeper/protocol.h), which executes `program`. Needs no right that a user lacks.
std::unique_ptr<Containment> contain_by_keepers(std::string program, EventLoop& loop, TreeObserver& observer);

}  // namespace procsup
