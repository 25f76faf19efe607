#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/logger/stream.h"

namespace procsup::logger {

inline constexpr std::size_t kTailLines = 10;

/// The last lines of a run, oldest first, without what the format has put in front of them, or the job for the journal. `runs_after`: how many began after it.
/// Empty when the run is not in the index any more, or has written nothing; where there are no files, when it is not the newest.
std::vector<std::string> last_lines(Stream& stream, std::uint32_t runs_after);

/// Of a stream without files: `data` was written of the newest run.
void keep_end(Stream& stream, std::string_view data);

/// What the job has written of a line in a file of this format.
std::string text_of_line(LogFormat format, std::string_view line);

}  // namespace procsup::logger
