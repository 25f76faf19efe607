#include "daemon/probe/sleeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "common/raw_syscall.h"
#include "daemon/init/signals.h"
#include "daemon/keeper/clock.h"

namespace procsup::probe {

Sleeper::~Sleeper() {
    if (signals_ >= 0) raw_syscall(SYS_close, signals_);
}

long Sleeper::open(bool has_children) {
    const std::uint64_t wanted = init::bit(SIGTERM) | (has_children ? init::bit(SIGCHLD) : 0);
    const long fd = raw_syscall(SYS_signalfd4, -1, &wanted, sizeof(wanted), SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return fd;
    signals_ = static_cast<int>(fd);
    return 0;
}

/// Whether a child has ended.
bool Sleeper::take_signals() {
    bool child = false;
    signalfd_siginfo taken{};
    while (raw_syscall(SYS_read, signals_, &taken, sizeof(taken)) == sizeof(taken)) {
        if (taken.ssi_signo == SIGCHLD) child = true;
        if (taken.ssi_signo == SIGTERM) told_to_end_ = true;
    }
    return child;
}

Sleeper::Woke Sleeper::sleep(std::int64_t until, int fd, short events) {
    for (;;) {
        const std::int64_t left = until - keeper::monotonic_now();
        timespec timeout{};
        if (left > 0) timeout = {left / keeper::kSecond, left % keeper::kSecond};
        pollfd fds[] = {{signals_, POLLIN, 0}, {fd, events, 0}};
        const long woke = raw_syscall(SYS_ppoll, fds, 2, &timeout, nullptr, 0);
        if (woke == 0) return Woke::TimedOut;
        if (fds[0].revents != 0) {
            const bool told_before = told_to_end_;
            const bool child = take_signals();
            if (told_to_end_ && !told_before) return Woke::ToldToEnd;
            if (child) return Woke::Child;
        }
        if (fds[1].revents != 0) return Woke::Ready;
        if (left <= 0) return Woke::TimedOut;
    }
}

}  // namespace procsup::probe
