#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace procsup {

/// How many connections that came to these listening sockets are open, accepted or not (sock_diag(7)); nothing: the kernel does
/// not say. Takes as long as the kernel needs to look at all connections of the machine.
std::optional<std::uint64_t> count_connections(const std::vector<int>& listening);

}  // namespace procsup
