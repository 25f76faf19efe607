#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace procsup {

/// Splits a command at unquoted white space by the quoting rules of sh(1): '…' is verbatim, "…" knows \" \\ \$ \`,
/// a backslash outside takes the next character verbatim. Placeholders such as ${job:port} stay as they are. What only
/// a shell could do ($HOME, |, >, …) is refused, because it would reach the program as an argument; `with_shell` is what to
/// write to have one.
Result<std::vector<std::string>> split_command_line(std::string_view line,
                                                    std::string_view with_shell = "shell = \"…\"");

}  // namespace procsup
