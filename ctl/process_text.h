#pragma once

#include <cstdint>
#include <string>

namespace procsup::ctl {

/// The command line of process `pid`, words joined by blanks, at most 200 bytes; empty unless /proc shows it to us
/// as a child of `parent`: in another pid namespace, or a moment later, the number may be another process's.
std::string child_command_line(std::int64_t pid, std::int64_t parent);

}  // namespace procsup::ctl
