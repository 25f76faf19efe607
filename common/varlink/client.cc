#include "common/varlink/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace procsup::varlink {
namespace {

constexpr std::size_t kReadSize = 64u << 10;
constexpr std::size_t kMaxFds = 253;  // SCM_MAX_FD of the kernel

Error server_left() { return Error{"cannot read the reply: the server has closed the connection", ECONNRESET}; }

/// Fills in the control part of a message that carries `fds`.
void attach(msghdr& header, std::vector<char>& control, std::span<const int> fds) {
    if (fds.empty()) return;
    control.resize(CMSG_SPACE(fds.size_bytes()));
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    auto* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
}

}  // namespace

Result<Client> Client::connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return os_failure("connect to " + path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return os_failure("make a socket", errno);
    int outcome = 0;
    do {
        outcome = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) return os_failure("connect to " + path, errno);
    return Client(std::move(socket));
}

Result<void> Client::send(std::string_view method, std::string_view parameters, bool more, std::span<const int> fds) {
    return send_message(call_message(method, parameters, more), fds);
}

Result<void> Client::send_oneway(std::string_view method, std::string_view parameters) {
    return send_message(call_message(method, parameters, false, true), {});
}

Result<void> Client::send_message(const std::string& message, std::span<const int> fds) {
    if (!socket_) return server_left();
    if (fds.size() > kMaxFds) return os_failure("send the call", EINVAL);
    std::vector<char> control;
    std::size_t sent = 0;
    while (sent < message.size()) {
        iovec part{const_cast<char*>(message.data()) + sent, message.size() - sent};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        if (sent == 0) attach(header, control, fds);  // with the first bytes, once
        const auto count = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_failure("send the call", errno);
        sent += static_cast<std::size_t>(count);
    }
    return {};
}

Result<std::optional<Reply>> Client::receive() {
    for (;;) {
        if (const auto end = received_.find('\0', scanned_); end != std::string::npos) {
            auto reply = parse_reply(std::string_view(received_).substr(0, end));
            received_.erase(0, end + 1);
            scanned_ = 0;
            if (!reply) return reply.error();
            return std::optional<Reply>(std::move(*reply));
        }
        scanned_ = received_.size();
        if (scanned_ > kMaxMessage) return os_failure("read the reply", EMSGSIZE);
        if (!socket_) return server_left();
        std::array<char, kReadSize> buffer;
        const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return std::optional<Reply>();
        if (count < 0 && errno != ECONNRESET) return os_failure("read the reply", errno);
        if (count <= 0) return server_left();
        received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

Result<Reply> Client::wait() {
    for (;;) {
        auto reply = receive();
        if (!reply) return reply.error();
        if (*reply) return std::move(**reply);
        pollfd ready{socket_.get(), POLLIN, 0};
        if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return os_failure("wait for the reply", errno);
    }
}

Result<Reply> Client::begin(std::string_view method, std::string_view parameters, bool more, std::span<const int> fds) {
    const auto sent = send(method, parameters, more, fds);
    // A server that refuses a client says why before it closes.
    const bool closed = !sent && (sent.error().os_error == EPIPE || sent.error().os_error == ECONNRESET);
    if (!sent && !closed) return sent.error();
    return wait();
}

Result<Reply> Client::call(std::string_view method, std::string_view parameters, std::span<const int> fds) {
    return begin(method, parameters, false, fds);
}

Result<Reply> Client::call_more(std::string_view method, std::string_view parameters,
                                const std::function<bool(const Reply&)>& on_reply, std::span<const int> fds) {
    auto reply = begin(method, parameters, true, fds);
    for (;;) {
        if (!reply) return reply;
        const bool go_on = on_reply(*reply);
        if (!reply->continues) return reply;
        if (!go_on) {
            // The protocol has no other way to end a stream.
            socket_.reset();
            received_.clear();
            scanned_ = 0;
            return reply;
        }
        reply = wait();
    }
}

}  // namespace procsup::varlink
