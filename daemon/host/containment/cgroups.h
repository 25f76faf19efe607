#pragma once

#include "daemon/host/containment/cgroup_root.h"
#include "daemon/host/containment/containment.h"

namespace procsup {

/// Runs held by cgroups of version 2, one each. The Error says what is not permitted.
Result<std::unique_ptr<Containment>> contain_by_cgroups(const ContainmentPlace& place, EventLoop& loop,
                                                        TreeObserver& observer);

}  // namespace procsup
