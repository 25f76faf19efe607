#include "daemon/probe/connection.h"

#include <poll.h>

#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup::probe {
namespace {

bool has_colon(const char* text) {
    while (*text != '\0' && *text != ':') ++text;
    return *text == ':';
}

}  // namespace

Line& Called::put_into(Line& line) const {
    line << scheme;
    if (address != nullptr) {
        const bool brackets = has_colon(address);
        (line << (brackets ? "[" : "")).name(address) << (brackets ? "]:" : ":") << port;
    }
    // Behind the '?' of a page there may be what not everybody is to know.
    return line.name(path, *scheme != '\0' ? '?' : '\0');
}

void Connection::close() {
    if (fd_ >= 0) raw_syscall(SYS_close, fd_);
    fd_ = -1;
}

bool Connection::await(short events, std::int64_t until) {
    const auto woke = attempt_.sleeper.sleep(until, fd_, events);
    if (woke == Sleeper::Woke::ToldToEnd) attempt_.cut_short = true;
    return woke == Sleeper::Woke::Ready;
}

bool Connection::await(short events) { return await(events, until_); }

/// 0, or -errno; -EINPROGRESS: it was not done in time.
long Connection::connect(int type, const Address& address) {
    const long fd = raw_syscall(SYS_socket, address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fd;
    fd_ = static_cast<int>(fd);
    const long result = raw_syscall(SYS_connect, fd_, &address, address.size);
    if (result != -EINPROGRESS || !await(POLLOUT)) return result;
    int error = 0;
    socklen_t size = sizeof(error);
    raw_syscall(SYS_getsockopt, fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    return -error;
}

/// Where nobody listens on a port that the kernel may give to those who connect, it can give this very one: then both ends
/// are this socket (RFC 9293, simultaneous open).
bool Connection::is_with_itself() const {
    unsigned char own[sizeof(sockaddr_in6)] = {}, other[sizeof(sockaddr_in6)] = {};
    socklen_t own_size = sizeof(own), other_size = sizeof(other);
    if (raw_syscall(SYS_getsockname, fd_, own, &own_size) < 0) return false;
    if (raw_syscall(SYS_getpeername, fd_, other, &other_size) < 0 || own_size != other_size) return false;
    for (socklen_t i = 0; i < own_size; ++i) {
        if (own[i] != other[i]) return false;
    }
    return true;
}

bool Connection::open(const Address& address) {
    long result = connect(SOCK_STREAM, address);
    constexpr int kOtherTypes[] = {SOCK_SEQPACKET, SOCK_DGRAM};
    for (const int type : kOtherTypes) {
        if (result != -EPROTOTYPE || address.family() != AF_UNIX) break;
        close();
        result = connect(type, address);
    }
    if (result == 0 && address.family() != AF_UNIX && is_with_itself()) {
        // An orderly end would keep the port from the job for a minute.
        const linger none{1, 0};
        raw_syscall(SYS_setsockopt, fd_, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        result = -ECONNREFUSED;
    }
    if (result < 0) refuse(-result);
    return result == 0;
}

void Connection::refuse(long errno_value) {
    close();
    has_met_nobody_ = errno_value == ECONNREFUSED || errno_value == EADDRNOTAVAIL || errno_value == EAFNOSUPPORT ||
                      errno_value == ENETUNREACH;
    Called plain = called_;
    if (called_.address != nullptr) plain = {"", called_.address, called_.port, ""};
    Line& reason = attempt_.reason;
    reason.clear();
    plain.put_into(reason << "cannot connect to ");
    if (errno_value != EINPROGRESS) {
        reason.cause(errno_value);
        return;
    }
    reason << ": no answer";
    attempt_.add_patience();
}

}  // namespace procsup::probe
