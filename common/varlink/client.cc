#include "common/varlink/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/send_fds.h"

namespace procsup::varlink {
namespace {

/// One of the reply that is being read, and one of the reply behind it.
constexpr std::size_t kMaxFdsHeld = 2;

Error server_left() { return Error{"cannot read the reply: the server has closed the connection", ECONNRESET}; }

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
    call_unread_ = false;
    std::size_t sent = 0;
    while (sent < message.size()) {
        const auto rest = std::string_view(message).substr(sent);
        // The descriptors go with the first bytes, once.
        const auto count = send_with_fds(socket_.get(), rest, sent == 0 ? fds : std::span<const int>(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            call_unread_ = errno == EPIPE || errno == ECONNRESET;
            return os_failure("send the call", errno);
        }
        sent += static_cast<std::size_t>(count);
    }
    return {};
}

Result<std::optional<Reply>> Client::receive() {
    for (;;) {
        if (const auto message = inbox_.next_message(); message.data() != nullptr) {
            auto reply = parse_reply(message);
            auto fds = inbox_.consume(message.size());
            if (!reply) return reply.error();
            if (!fds.empty()) reply->fd = std::move(fds.front());
            return std::optional<Reply>(std::move(*reply));
        }
        if (inbox_.size() > kMaxMessage) return os_failure("read the reply", EMSGSIZE);
        if (!socket_) return server_left();
        switch (inbox_.receive(socket_.get(), kMaxFdsHeld)) {
            case Inbox::Read::Some: break;
            case Inbox::Read::Nothing:
            case Inbox::Read::Descriptors: return std::optional<Reply>();
            case Inbox::Read::Reset: call_unread_ = true; return server_left();
            case Inbox::Read::End: return server_left();
        }
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
    if (!sent && !call_unread_) return sent.error();
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
            inbox_ = Inbox();
            return reply;
        }
        reply = wait();
    }
}

}  // namespace procsup::varlink
