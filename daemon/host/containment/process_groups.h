#pragma once

#include "daemon/host/containment/containment.h"

namespace procsup {

/// Runs held by their process groups (setpgid(2)): needs nothing of the system, and loses every process that makes a group
/// or session of its own. The weakest way, for machines that allow no other. `no_cgroups`: why it is not done by cgroups.
std::unique_ptr<Containment> contain_by_process_groups(std::string no_cgroups, EventLoop& loop, TreeObserver& observer);

}  // namespace procsup
