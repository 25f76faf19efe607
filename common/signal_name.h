#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace procsup {

/// "SIGTERM" for 15, "SIGRTMIN+3" for a real-time signal, "signal 99" for a number that is none.
std::string signal_name(int signal);

/// Reads "SIGTERM", "TERM", "term", "15" or "SIGRTMIN+3"; nothing for anything else.
std::optional<int> parse_signal(std::string_view text);

/// Whether a process that does nothing about it ends by it (signal(7)): else it stops, goes on, or nothing happens.
bool ends_by_default(int signal);

}  // namespace procsup
