#include "daemon/host/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "daemon/host/child.h"

namespace procsup {
namespace {

void name_internet_peer(const sockaddr_storage& peer, Connection& connection) {
    char text[INET6_ADDRSTRLEN] = "";
    in_port_t port = 0;
    if (peer.ss_family == AF_INET) {
        sockaddr_in four;
        memcpy(&four, &peer, sizeof(four));
        inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text));
        port = four.sin_port;
    } else {
        sockaddr_in6 six;
        memcpy(&six, &peer, sizeof(six));
        // One of IPv4 that has come to a socket of both.
        if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
            inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text, sizeof(text));
        } else {
            inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text));
        }
        port = six.sin6_port;
    }
    connection.address = text;
    connection.port = std::to_string(ntohs(port));
    const bool brackets = connection.address.find(':') != std::string::npos;
    connection.text = (brackets ? "[" + connection.address + "]" : connection.address) + ":" + connection.port;
}

}  // namespace

std::optional<Connection> accept_connection(int listening) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const Fd low(accept4(listening, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (!low) return std::nullopt;
    Connection connection{Fd(fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstKeptFd)), {}, {}, "a client"};
    if (!connection.fd) return std::nullopt;
    ucred credentials{};
    socklen_t length = sizeof(credentials);
    if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) {
        name_internet_peer(peer, connection);
    } else if (getsockopt(connection.fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 &&
               credentials.pid > 0) {
        connection.text = "pid " + std::to_string(credentials.pid) + " of uid " + std::to_string(credentials.uid);
    }
    return connection;
}

}  // namespace procsup
