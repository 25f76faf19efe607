#include "common/packet_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "common/send_fds.h"

namespace procsup {
namespace {

constexpr std::size_t kMostFds = 8;

void take_fds(msghdr& header, std::vector<Fd>& fds) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number = -1;
            memcpy(&number, CMSG_DATA(part) + i * sizeof(int), sizeof(number));
            fds.emplace_back(number);
        }
    }
}

}  // namespace

Result<std::pair<Fd, Fd>> packet_socket_pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return os_failure("make a pair of sockets", errno);
    return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Sent send_packet(int socket, std::string_view text, std::span<const int> fds) {
    while (send_with_fds(socket, text, fds, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EINTR) continue;
        // ETOOMANYREFS: as many descriptors are under way as this user may have open.
        const bool later = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS;
        return later ? Sent::Later : Sent::Gone;
    }
    return Sent::Yes;
}

Received receive_packet(int socket, Packet& packet) {
    packet.fds.clear();
    packet.text.resize(kLongestPacket);
    iovec part{packet.text.data(), packet.text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMostFds * sizeof(int))];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    ssize_t size = 0;
    do {
        size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) return Received::Nothing;
    if (size > 0) take_fds(header, packet.fds);
    if (size <= 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Received::End;
    packet.text.resize(static_cast<std::size_t>(size));
    return Received::Packet;
}

Sent send_packet_with(int socket, std::string_view text, int fd) {
    return send_packet(socket, text, std::span<const int>(&fd, 1));
}

}  // namespace procsup
