#include "daemon/host/connection_count.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "common/fd.h"

namespace procsup {
namespace {

/// Listens on all addresses of IPv6, at `port` or any that is free, for IPv4 too or not.
Fd listen_six(bool only_six, in_port_t port = 0) {
    Fd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int six = only_six ? 1 : 0;
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &six, sizeof(six));
    sockaddr_in6 there{};
    there.sin6_family = AF_INET6;
    there.sin6_port = port;
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof(there)), 0);
    EXPECT_EQ(listen(fd.get(), 8), 0);
    return fd;
}

Fd listen_four() {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof(there)), 0);
    EXPECT_EQ(listen(fd.get(), 8), 0);
    return fd;
}

/// In the order of the network.
in_port_t port_of(const Fd& fd) {
    sockaddr_in6 there{};
    socklen_t size = sizeof(there);
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&there), &size);
    return there.sin6_port;
}

/// A client, by IPv4.
Fd connect_four(in_port_t port) {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = port;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof(there)), 0);
    return fd;
}

std::pair<sockaddr_un, socklen_t> abstract(const std::string& name) {
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    memcpy(there.sun_path + 1, name.data(), name.size());
    return {there, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())};
}

TEST(ConnectionCount, IsOfThoseThatAreOpenAcceptedOrNot) {
    const auto listening = listen_four();
    EXPECT_EQ(count_connections({listening.get()}), 0u);
    const auto first = connect_four(port_of(listening));
    {
        const auto second = connect_four(port_of(listening));
        EXPECT_EQ(count_connections({listening.get()}), 2u);
        const Fd accepted(accept(listening.get(), nullptr, nullptr));
        EXPECT_EQ(count_connections({listening.get()}), 2u);
    }
    const auto other = listen_four();
    EXPECT_EQ(count_connections({other.get()}), 0u);
    EXPECT_EQ(count_connections({}), 0u);
}

TEST(ConnectionCount, OfBothFamiliesHasThoseOfIPv4) {
    const auto listening = listen_six(false);
    const auto client = connect_four(port_of(listening));
    EXPECT_EQ(count_connections({listening.get()}), 1u);
}

TEST(ConnectionCount, OfIPv6AloneHasNoneOfAnotherSocketOfIPv4AtItsPort) {
    const auto four = listen_four();
    const auto six = listen_six(true, port_of(four));
    const auto client = connect_four(port_of(four));
    EXPECT_EQ(count_connections({four.get()}), 1u);
    EXPECT_EQ(count_connections({six.get()}), 0u);
}

TEST(ConnectionCount, OfAnAbstractSocketIsOfItsNameAlone) {
    const auto own = "procsup-count-" + std::to_string(getpid());
    const Fd listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        longer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto [there, size] = abstract(own);
    const auto [beside, beside_size] = abstract(own + "0");
    ASSERT_EQ(bind(listening.get(), reinterpret_cast<const sockaddr*>(&there), size), 0);
    ASSERT_EQ(bind(longer.get(), reinterpret_cast<const sockaddr*>(&beside), beside_size), 0);
    ASSERT_EQ(listen(listening.get(), 8), 0);
    ASSERT_EQ(listen(longer.get(), 8), 0);
    const Fd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&there), size), 0);
    const Fd accepted(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(accepted);
    EXPECT_EQ(count_connections({listening.get()}), 1u);
    EXPECT_EQ(count_connections({longer.get()}), 0u);
}

}  // namespace
}  // namespace procsup
