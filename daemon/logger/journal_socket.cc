#include "daemon/logger/journal_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

namespace procsup::logger {
namespace {

/// For hundreds of lines on their way; the kernel gives less where that is not permitted.
constexpr int kSendBuffer = 1 << 20;

}  // namespace

Result<void> JournalSocket::look(std::int64_t /*now*/) {
    if (fd_) return {};
    fd_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) return os_failure("make a socket for the journal", errno);
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer));
    return {};
}

/// Not connected: whoever listens at the path now gets it, also after a restart.
Result<std::size_t> JournalSocket::append(std::string_view datagram) {
    sockaddr_un address{AF_UNIX, {}};
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ssize_t sent = 0;
    do {
        sent = sendto(fd_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                      reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN) return Error{"the journal does not take it: its queue is full", EAGAIN};
    if (sent < 0) return os_failure("write to the journal at " + path_, errno);
    return datagram.size();
}

}  // namespace procsup::logger
