#include "daemon/host/child_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup {
namespace {

constexpr std::size_t kMostDescriptors = kMostSockets + 1;

/// Into the lowest free numbers, one after the other. 0, or -errno.
long receive(long channel, std::size_t count) {
    alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))];
    char text[16];
    iovec part{text, sizeof(text)};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const long size = raw_syscall(SYS_recvmsg, channel, &message, 0);
    if (size < 0) return size;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_len != CMSG_LEN(count * sizeof(int))) return -EMFILE;
    const auto* fds = reinterpret_cast<const int*>(CMSG_DATA(header));
    for (std::size_t i = 0; i < count; ++i) {
        if (fds[i] != kFirstSocketFd + static_cast<int>(i)) return -EBADF;
    }
    return 0;
}

}  // namespace

Step take_sockets(ChildPlan& plan) {
    const bool ready = plan.ready_target >= 0;
    const std::size_t count = plan.socket_count + (ready ? 1 : 0);
    const long behind = kFirstSocketFd + static_cast<long>(count);
    // What is needed until exec goes out of the way, of the descriptor of readiness too, and all else below is closed.
    const long free = behind > kFirstReservedFd ? behind : kFirstReservedFd;
    const long status = raw_syscall(SYS_fcntl, plan.own_status_fd, F_DUPFD_CLOEXEC, free);
    if (status < 0) return check(SpawnStage::Sockets, status);
    const long channel = raw_syscall(SYS_fcntl, plan.ready_source, F_DUPFD_CLOEXEC, free);
    if (channel < 0) return check(SpawnStage::Sockets, channel);
    plan.own_status_fd = static_cast<int>(status);
    raw_syscall(SYS_close_range, kFirstSocketFd, free - 1, 0);
    const long received = receive(channel, count);
    raw_syscall(SYS_close, channel);
    if (received < 0) return check(SpawnStage::Sockets, received);
    write_listen_pid(plan.listen_pid, raw_syscall(SYS_getpid));
    const long last = behind - 1;
    if (!ready || last == plan.ready_target) return {};
    const long moved = raw_syscall(SYS_dup3, last, plan.ready_target, 0);
    raw_syscall(SYS_close, last);
    return check(SpawnStage::ReadyChannel, moved);
}

}  // namespace procsup
