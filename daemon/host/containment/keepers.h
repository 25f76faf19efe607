#pragma once

#include "daemon/host/containment/containment.h"

namespace procsup {

/// Runs held by a keeper process each (daemon/keeper/protocol.h). Needs no right that a user lacks. The Error says what is
/// missing.
Result<std::unique_ptr<Containment>> contain_by_keepers(EventLoop& loop, TreeObserver& observer);

}  // namespace procsup
