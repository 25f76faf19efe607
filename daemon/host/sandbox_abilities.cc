#include "daemon/host/sandbox_abilities.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace procsup {
namespace {

/// All kinds of steps of a child (child_sandbox.cc). At "/", so that no file system has to answer.
bool can_change_mounts() {
    mount_attr read_only{};
    read_only.attr_set = MOUNT_ATTR_RDONLY;
    return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
           syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &read_only, sizeof(read_only)) == 0 &&
           mount("tmpfs", "/", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0;
}

}  // namespace

int find_mounts_error() {
    const pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) _exit(can_change_mounts() ? 0 : errno);
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    // A container can end who tries.
    return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

int find_landlock() {
    const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return static_cast<int>(std::max(version, 0L));
}

}  // namespace procsup
