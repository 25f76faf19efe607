#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// One packet of a SOCK_SEQPACKET socket, with the descriptors that came along (unix(7), SCM_RIGHTS).
struct Packet {
    std::string text;
    std::vector<Fd> fds;
};

enum class Sent { Yes, Later, Gone };

/// Two connected ends, non-blocking and closed at exec.
Result<std::pair<Fd, Fd>> packet_socket_pair();

/// Sends one packet, or nothing of it. Later: there is no room now. Gone: nobody will ever read it.
Sent send_packet(int socket, std::string_view text, std::span<const int> fds = {});
/// With one descriptor.
Sent send_packet_with(int socket, std::string_view text, int fd);

enum class Received { Packet, Nothing, End };

/// Takes one packet, when there is one. A packet longer than kLongestPacket ends the connection: nobody here sends such.
inline constexpr std::size_t kLongestPacket = std::size_t{192} * 1024;
Received receive_packet(int socket, Packet& packet);

}  // namespace procsup
