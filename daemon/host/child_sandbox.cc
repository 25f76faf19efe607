#include "daemon/host/child_sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include "daemon/host/child_path.h"

namespace procsup {
namespace {

constexpr int kNone = -1;

/// Where the two directories of private_tmp are made, and where they are put.
constexpr const char* kParts[][2] = {{"/tmp/tmp", "/tmp"}, {"/tmp/var-tmp", "/var/tmp"}};

Step check_path(const ChildSandbox::Path& path, long result) {
    Step step = check(path.read_only ? SpawnStage::ReadOnlyPath : SpawnStage::ReadWritePath, result);
    step.path = path.path;
    return step;
}

bool is_root(const char* path) { return path[0] == '/' && path[1] == '\0'; }

/// A link could lead an exception to somewhere else, above what is read-only there; and who may write beside it could put
/// one in its place.
long open_listed(const ChildSandbox::Path& path) { return open_path(path.path, path.read_only || path.implied); }

/// A copy of the mounts at and below what `fd` is, which are nowhere yet.
long copy_tree(long fd) {
    return raw_syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

long make_read_only(long fd) {
    mount_attr change{};
    change.attr_set = MOUNT_ATTR_RDONLY;
    return raw_syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof(change));
}

/// `at` is a descriptor, which is closed, or -errno.
long put_tree_at(long tree, long at) {
    if (at < 0) return at;
    const long result =
        raw_syscall(SYS_move_mount, tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    raw_syscall(SYS_close, at);
    return result;
}

/// What is done here does not come to the host, and what is unmounted there is let go here.
Step leave_mounts_of_host() {
    Step step = check(SpawnStage::Mounts, raw_syscall(SYS_unshare, CLONE_NEWNS));
    if (!step.failed()) {
        step = check(SpawnStage::Mounts, raw_syscall(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr));
    }
    return step;
}

/// All before the first is made read-only: an exception stays exactly as it is on the host, where it may be read-only too.
Step copy_trees(ChildSandbox& sandbox) {
    for (std::size_t i = 0; i < sandbox.path_count; ++i) {
        auto& path = sandbox.paths[i];
        path.tree = kNone;
        const long fd = open_listed(path);
        if ((fd == -ENOENT || fd == -ENOTDIR) && path.may_be_absent) continue;
        if (fd < 0) return check_path(path, fd);
        const long tree = is_root(path.path) ? fd : copy_tree(fd);
        if (tree != fd) raw_syscall(SYS_close, fd);
        if (tree < 0) return check_path(path, tree);
        path.tree = static_cast<int>(tree);
    }
    return {};
}

Step put_trees(const ChildSandbox& sandbox) {
    for (std::size_t i = 0; i < sandbox.path_count; ++i) {
        const auto& path = sandbox.paths[i];
        if (path.tree == kNone) continue;
        long result = path.read_only ? make_read_only(path.tree) : 0;
        // Nothing can be put in the place of the root directory.
        if (result >= 0 && !is_root(path.path)) {
            result = put_tree_at(path.tree, open_listed(path));
        }
        raw_syscall(SYS_close, path.tree);
        if (result < 0) return check_path(path, result);
    }
    return {};
}

/// Makes the directories above `path` that are not there, and it.
long make_directories(const char* path, char* buffer, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        const bool end = path[i] == '\0';
        if ((end || path[i] == '/') && i > 0) {
            buffer[i] = '\0';
            const long result = raw_syscall(SYS_mkdirat, AT_FDCWD, buffer, 0755);
            if (result < 0 && result != -EEXIST) return result;
        }
        if (end) return 0;
        buffer[i] = path[i];
    }
    return -ENAMETOOLONG;
}

/// Both directories are in one file system, so that its size (half of the memory) bounds them together.
long put_private_tmp() {
    long result = raw_syscall(SYS_mount, "tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
    if (result < 0) return result;
    long trees[2] = {kNone, kNone};
    for (int i = 0; i < 2 && result >= 0; ++i) {
        result = raw_syscall(SYS_mkdirat, AT_FDCWD, kParts[i][0], 01777);
        if (result >= 0) result = open_path(kParts[i][0], false);
        if (result < 0) return result;
        const long directory = result;
        result = trees[i] = copy_tree(directory);
        raw_syscall(SYS_close, directory);
    }
    if (result >= 0) result = raw_syscall(SYS_umount2, "/tmp", MNT_DETACH);
    for (int i = 0; i < 2 && result >= 0; ++i) {
        result = put_tree_at(trees[i], open_path(kParts[i][1], true));
        // A system without /var/tmp has none that somebody else could see.
        if (result == -ENOENT && i == 1) result = 0;
        raw_syscall(SYS_close, trees[i]);
    }
    return result;
}

Step hide_tmp(const ChildSandbox& sandbox, std::span<char> buffer) {
    long kept = kNone, result = 0;
    if (sandbox.runtime_dir != nullptr) {
        const long fd = open_path(sandbox.runtime_dir, true);
        if (fd < 0) return check(SpawnStage::PrivateTmp, fd);
        kept = copy_tree(fd);
        raw_syscall(SYS_close, fd);
        if (kept < 0) return check(SpawnStage::PrivateTmp, kept);
    }
    // The daemon's is for its own files; the job's is set later.
    raw_syscall(SYS_umask, 0);
    result = put_private_tmp();
    if (result >= 0 && kept != kNone) {
        result = make_directories(sandbox.runtime_dir, buffer.data(), buffer.size());
        if (result >= 0) result = put_tree_at(kept, open_path(sandbox.runtime_dir, true));
        raw_syscall(SYS_close, kept);
    }
    return check(SpawnStage::PrivateTmp, result);
}

}  // namespace

Step join_mounts(const ChildSandbox& sandbox) {
    if (sandbox.means != SandboxMeans::Mounts || sandbox.joined < 0) return {};
    return check(SpawnStage::Mounts, raw_syscall(SYS_setns, sandbox.joined, CLONE_NEWNS));
}

Step set_apart(ChildSandbox& sandbox, std::span<char> buffer) {
    if (sandbox.means != SandboxMeans::Mounts || sandbox.joined >= 0) return {};
    Step step = leave_mounts_of_host();
    if (step.failed()) {
        // Nothing of it was done: what follows would be seen by everybody.
        sandbox.refused = true;
        return sandbox.strict ? step : Step{};
    }
    step = copy_trees(sandbox);
    if (!step.failed()) step = put_trees(sandbox);
    if (!step.failed() && sandbox.private_tmp) step = hide_tmp(sandbox, buffer);
    return step;
}

}  // namespace procsup
