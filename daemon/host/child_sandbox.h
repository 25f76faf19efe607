#pragma once

#include <cstddef>
#include <span>

#include "conf/sandbox_means.h"
#include "daemon/host/child_step.h"

/// What a child sees of the file system, and what it may change there: set between clone and exec, so nothing is called but
/// the kernel. A path on a file system that hangs holds up the child alone.
namespace procsup {

/// Laid out before the clone.
struct ChildSandbox {
    struct Path {
        const char* path;
        bool read_only;
        bool may_be_absent;
        bool implied;  ///< made by procsupd: links above it are the administrator's
        int tree;      ///< written by the child
    };

    SandboxMeans means;
    bool strict;
    bool private_tmp;
    int joined;    ///< of Mounts: the mount namespace that it enters instead of making its own; -1: none
    int landlock;  ///< of Landlock: the version of its ABI
    Path* paths;   ///< as sandbox_paths() has them
    std::size_t path_count;
    const char* runtime_dir;  ///< procsupd's, which private_tmp leaves in its place; nullptr: it is not in the way
    bool refused;             ///< written by the child: it has no mounts of its own, and goes on without
};

/// Enters the namespace of another process. Before the child leaves the daemon's descriptor table.
Step join_mounts(const ChildSandbox& sandbox);

/// With the daemon's privileges, before the ids change: mounts of its own, with what is read-only and the private /tmp.
/// `buffer` is for a path.
Step set_apart(ChildSandbox& sandbox, std::span<char> buffer);

/// With the job's, and without new privileges: Landlock.
Step restrict_writing(const ChildSandbox& sandbox);

}  // namespace procsup
