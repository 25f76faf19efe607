#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/logger/stream.h"

namespace procsup::logger {

inline constexpr std::size_t kTailLines = 10;

/// The last lines of a run, oldest first, without what the format has put in front of them. `runs_after`: how many began after it.
/// Empty when the run is not in the index any more, or has written nothing.
std::vector<std::string> last_lines(Stream& stream, std::uint32_t runs_after);

/// What the job has written of a line in a file of this format.
std::string text_of_line(LogFormat format, std::string_view line);

}  // namespace procsup::logger
