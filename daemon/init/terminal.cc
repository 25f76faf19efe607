#include "daemon/init/terminal.h"

#include <asm/ioctls.h>
#include <fcntl.h>

#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup::init {

void Terminal::open() {
    constexpr int kBehindStandardFds = 3;
    long fd = raw_syscall(SYS_openat, AT_FDCWD, "/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
    // A container may have no /dev/tty; the standard streams are the terminal then, or nothing is.
    for (int standard = 0; fd < 0 && standard < kBehindStandardFds; ++standard) {
        pid_t group = 0;
        if (raw_syscall(SYS_ioctl, standard, TIOCGPGRP, &group) < 0) continue;
        fd_ = static_cast<int>(raw_syscall(SYS_fcntl, standard, F_DUPFD_CLOEXEC, kBehindStandardFds));
        return;
    }
    fd_ = static_cast<int>(fd);
    // A standard stream that the caller has closed stays closed.
    if (fd_ >= 0 && fd_ < kBehindStandardFds) {
        fd_ = static_cast<int>(raw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, kBehindStandardFds));
        raw_syscall(SYS_close, fd);
    }
}

pid_t Terminal::foreground() const {
    pid_t group = -1;
    if (fd_ >= 0) raw_syscall(SYS_ioctl, fd_, TIOCGPGRP, &group);
    return group;
}

bool Terminal::is_ours() const { return fd_ >= 0 && foreground() == raw_syscall(SYS_getpgid, 0); }

bool Terminal::is_free() const {
    const pid_t group = foreground();
    // 0 is a group of another pid namespace.
    return is_ours() || (group > 0 && raw_syscall(SYS_kill, -group, 0) == -ESRCH);
}

void Terminal::give_to(pid_t group) const {
    if (fd_ >= 0) raw_syscall(SYS_ioctl, fd_, TIOCSPGRP, &group);
}

}  // namespace procsup::init
