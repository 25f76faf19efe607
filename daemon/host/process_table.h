#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace procsup {

/// The processes of trees, looked up in /proc (proc(5)): what `procsupd --list-processes` does, in a process of its own,
/// because reading about a process can take as long as that process likes (the text of its command line is in its memory).
///
/// `request` is JSON: {"daemon": pid, "all": true, "known": [pid…], "trees": [{"name", "job", "containment", "place", "main": pid,
/// "roots": [pid…]}…]}. "place" is a cgroup's directory, or empty: then all below one of the roots (a keeper or a main
/// process) belong to the tree. "known" are children of the daemon that belong to it or to trees that are not asked for.
/// With "sums": true the result is the same list with what the processes of each tree use: "cpuUSec", with that of children which
/// they have collected, "memory" (resident, in bytes) and "tasks" (threads); nothing is asked of a process itself for that.
/// Else it is the same list with "processes" in each tree, and "strays": children of the daemon that nobody knows, where "all" trees are in the list.
Result<std::string> list_processes(std::string_view request);

struct ZombieCount {
    std::uint32_t count = 0;
    std::string neglected_by;  ///< the process that has most of them to collect: "4711 (python3 worker.py)"
};

/// Of the first tree in a list_processes() result.
ZombieCount zombies_in(const std::string& listed);

}  // namespace procsup
