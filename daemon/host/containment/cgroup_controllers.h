#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"
#include "conf/tree_limits.h"
#include "daemon/engine/ports.h"

/// What controllers do for groups, by the files of a cgroup of version 2 (cgroups(7)). Directories are descriptors; these
/// files are in memory, so nothing waits for a disk.
namespace procsup {

/// Why controllers cannot be enabled below the group `own`, which processes other than the caller's may be in.
ControllerFaults controller_faults(int own);

/// Lets groups in `groups`, which is below the daemon's own group, have the controller.
Result<void> enable_controller(int groups, Controller controller);

/// Those of `limits` whose controllers are `enabled` are in force for `group`, which is new; the others are as if not set. Returns what the
/// kernel refused, with its errors.
std::vector<std::pair<Key, int>> put_limits(int group, const std::vector<TreeLimit>& limits, ControllerSet enabled);

/// How many processes the kernel has killed for want of memory in `group` of `groups`, which is used for one run only.
OomKills read_oom_kills(int groups, const std::string& group);

/// CPU time that was used in `group` of `groups` since it is there.
std::optional<Duration> read_cpu_time(int groups, const std::string& group);
/// The same and, of the controllers that are `enabled`, what they count.
TreeUsage read_usage(int groups, const std::string& group, ControllerSet enabled);
/// What of memory.current is inactive_file of memory.stat, see cgroups(7) and the kernel's cgroup-v2.rst.
std::uint64_t read_droppable_memory(int groups, const std::string& group);
/// Adds what no controller has counted, from /proc, where the group has so few processes, and no groups below, that this takes
/// no longer than some files of controllers.
void add_usage_of_few(int groups, const std::string& group, TreeUsage& usage);

}  // namespace procsup
