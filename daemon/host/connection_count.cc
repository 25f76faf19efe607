#include "daemon/host/connection_count.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string_view>

#include "common/fd.h"

namespace procsup {
namespace {

/// All in which somebody is there at the other end, or was a moment ago; a port is also held by TIME_WAIT, by which nobody is.
constexpr std::uint32_t kOpen = (1U << TCP_ESTABLISHED) | (1U << TCP_SYN_RECV) | (1U << TCP_CLOSE_WAIT) |
                                (1U << TCP_FIN_WAIT1) | (1U << TCP_FIN_WAIT2) | (1U << TCP_LAST_ACK);

/// Reads what the kernel answers to `request`; `each` gets the attributes and all of each message. Whether it was complete.
template <typename Request>
bool dump(const Request& request, const std::function<void(const nlmsghdr&)>& each) {
    const Fd channel(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    struct {
        nlmsghdr header;
        Request body;
    } message{};
    message.header.nlmsg_len = sizeof(message);
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.body = request;
    if (!channel || send(channel.get(), &message, sizeof(message), 0) < 0) return false;
    alignas(nlmsghdr) static std::array<char, 32768> buffer;
    for (;;) {
        auto size = recv(channel.get(), buffer.data(), buffer.size(), 0);
        if (size <= 0) return false;
        for (auto* part = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(part, size);
             part = NLMSG_NEXT(part, size)) {
            if (part->nlmsg_type == NLMSG_DONE) return true;
            if (part->nlmsg_type == NLMSG_ERROR) return false;
            each(*part);
        }
    }
}

bool is_any(const in6_addr& address) { return IN6_IS_ADDR_UNSPECIFIED(&address) != 0; }

/// Whether a connection at the local address `id` has come to the socket at `there`.
bool came_to(const inet_diag_msg& connection, const sockaddr_storage& there, in_port_t port) {
    if (connection.id.idiag_sport != port) return false;
    const bool four = connection.idiag_family == AF_INET;
    if (there.ss_family == AF_INET) {
        sockaddr_in bound;
        memcpy(&bound, &there, sizeof(bound));
        const auto own = bound.sin_addr.s_addr;
        // Of a socket of IPv6 that has IPv4 too the kernel says an address of IPv6.
        return four && (own == INADDR_ANY || own == connection.id.idiag_src[0]);
    }
    sockaddr_in6 bound;
    memcpy(&bound, &there, sizeof(bound));
    const bool own =
        is_any(bound.sin6_addr) || memcmp(&bound.sin6_addr, connection.id.idiag_src, sizeof(in6_addr)) == 0;
    return own && !four;
}

bool count_internet(const sockaddr_storage& there, std::uint64_t& count) {
    sockaddr_in port_of;
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    memcpy(&port_of, &there, sizeof(port_of));
    for (const auto family : {AF_INET, AF_INET6}) {
        if (there.ss_family == AF_INET && family == AF_INET6) continue;
        inet_diag_req_v2 request{};
        request.sdiag_family = static_cast<std::uint8_t>(family);
        request.sdiag_protocol = IPPROTO_TCP;
        request.idiag_states = kOpen;
        // The kernel leaves out those of other ports by itself.
        request.id.idiag_sport = port_of.sin_port;
        const bool done = dump(request, [&](const nlmsghdr& part) {
            if (part.nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return;
            const auto* connection = static_cast<const inet_diag_msg*>(NLMSG_DATA(&part));
            if (came_to(*connection, there, port_of.sin_port)) ++count;
        });
        if (!done) return false;
    }
    return true;
}

/// A connection has the name of the socket that it came to.
bool count_unix(const sockaddr_un& there, socklen_t size, std::uint64_t& count) {
    std::string_view own(there.sun_path, size - offsetof(sockaddr_un, sun_path));
    unix_diag_req request{};
    request.sdiag_family = AF_UNIX;
    request.udiag_states = 1U << TCP_ESTABLISHED;
    request.udiag_show = UDIAG_SHOW_NAME;
    return dump(request, [&](const nlmsghdr& part) {
        if (part.nlmsg_len < NLMSG_LENGTH(sizeof(unix_diag_msg))) return;
        const auto* begin = static_cast<const char*>(NLMSG_DATA(&part)) + NLMSG_ALIGN(sizeof(unix_diag_msg));
        const auto* attribute = reinterpret_cast<const nlattr*>(begin);
        auto left = static_cast<std::size_t>(part.nlmsg_len - NLMSG_LENGTH(sizeof(unix_diag_msg)));
        if (left < sizeof(nlattr) || attribute->nla_type != UNIX_DIAG_NAME || attribute->nla_len > left) return;
        const std::string_view name(begin + NLA_HDRLEN, attribute->nla_len - NLA_HDRLEN);
        // That of a path is with its NUL in one of them and without it in the other.
        const auto bare = [](std::string_view text) {
            return text.starts_with('\0') ? text : text.substr(0, text.find('\0'));
        };
        if (bare(name) == bare(own)) ++count;
    });
}

}  // namespace

std::optional<std::uint64_t> count_connections(const std::vector<int>& listening) {
    std::uint64_t count = 0;
    for (const int fd : listening) {
        sockaddr_storage there{};
        socklen_t size = sizeof(there);
        if (getsockname(fd, reinterpret_cast<sockaddr*>(&there), &size) < 0) return std::nullopt;
        if (there.ss_family == AF_UNIX) {
            sockaddr_un path{};
            memcpy(&path, &there, std::min<std::size_t>(size, sizeof(path)));
            if (!count_unix(path, size, count)) return std::nullopt;
        } else if (!count_internet(there, count)) {
            return std::nullopt;
        }
    }
    return count;
}

}  // namespace procsup
