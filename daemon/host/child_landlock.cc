// Landlock: what may be written to, for who cannot have mounts of its own. It grants, and what it does not name is as before:
// reading and executing are not touched.
#include <linux/landlock.h>

#include <cerrno>
#include <cstdint>

#include "daemon/host/child_path.h"
#include "daemon/host/child_sandbox.h"

namespace procsup {
namespace {

constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;  // not in headers of Linux 6.1
constexpr int kTruncates = 3;                                // the ABI with it

constexpr std::uint64_t kChanges =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

/// What every program expects to be able to write to, and which keeps nothing of it.
constexpr const char* kDevices[] = {"/dev/null", "/dev/zero",    "/dev/full",   "/dev/tty",
                                    "/dev/ptmx", "/dev/urandom", "/dev/random", "/dev/pts"};

long grant(long rules, long fd, std::uint64_t access) {
    landlock_path_beneath_attr rule{};
    rule.allowed_access = access;
    rule.parent_fd = static_cast<int>(fd);
    return raw_syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/// All changes in a directory; of a file those that there are of one.
long grant_changes(long rules, long fd, std::uint64_t all) {
    const long result = grant(rules, fd, all);
    return result == -EINVAL ? grant(rules, fd, all & (LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate)) : result;
}

Step grant_path(long rules, const ChildSandbox::Path& path, std::uint64_t all) {
    Step step;
    const long fd = open_path(path.path, path.implied);
    if ((fd == -ENOENT || fd == -ENOTDIR) && path.may_be_absent) return step;
    step = check(SpawnStage::ReadWritePath, fd);
    if (!step.failed()) step = check(SpawnStage::ReadWritePath, grant_changes(rules, fd, all));
    step.path = path.path;
    if (fd >= 0) raw_syscall(SYS_close, fd);
    return step;
}

void grant_devices(long rules, std::uint64_t all) {
    for (const auto* device : kDevices) {
        const long fd = open_path(device, true);
        if (fd < 0) continue;
        grant(rules, fd, all & (LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate));
        raw_syscall(SYS_close, fd);
    }
}

/// What is read-only is only looked for: all is, and the rest was excepted from it.
Step find_path(const ChildSandbox::Path& path) {
    const long fd = open_path(path.path, true);
    Step step;
    if ((fd == -ENOENT || fd == -ENOTDIR) && path.may_be_absent) return step;
    step = check(SpawnStage::ReadOnlyPath, fd);
    step.path = path.path;
    if (fd >= 0) raw_syscall(SYS_close, fd);
    return step;
}

}  // namespace

Step restrict_writing(const ChildSandbox& sandbox) {
    if (sandbox.means != SandboxMeans::Landlock) return {};
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = kChanges | (sandbox.landlock >= kTruncates ? kTruncate : 0);
    const long rules = raw_syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    Step step = check(SpawnStage::Landlock, rules);
    for (std::size_t i = 0; i < sandbox.path_count && !step.failed(); ++i) {
        const auto& path = sandbox.paths[i];
        step = path.read_only ? find_path(path) : grant_path(rules, path, handled.handled_access_fs);
    }
    if (step.failed()) return step;
    grant_devices(rules, handled.handled_access_fs);
    step = check(SpawnStage::Landlock, raw_syscall(SYS_landlock_restrict_self, rules, 0));
    raw_syscall(SYS_close, rules);
    return step;
}

}  // namespace procsup
