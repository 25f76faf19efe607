#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace procsup::probe {

struct Address {
    union {
        sockaddr_un unix_;  // the largest
        sockaddr_in6 ipv6;
        sockaddr_in ipv4;
        sockaddr any;
    };
    socklen_t size;

    int family() const { return any.sa_family; }
};

/// A numeric address, as inet_pton(3) takes it; nothing is looked up. False: it is none.
bool parse_address(const char* text, int port, Address& address);

/// False: it is too long for a socket.
bool set_unix_path(const char* path, Address& address);

}  // namespace procsup::probe
