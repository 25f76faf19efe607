#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/log_file.h"

namespace procsup::ctl {

inline constexpr std::int64_t kNoTime = INT64_MIN;

/// One line of a file of captured output, or a piece of one that is too long to be held at once.
struct LogLine {
    std::int64_t time = kNoTime;  ///< microseconds since 1970, where the file says it
    std::string_view raw;         ///< as it stands in the file, without its newline
    LogFormat format = LogFormat::Raw;
    bool ended = true;   ///< with a newline
    bool begins = true;  ///< else it goes on with the piece before
};

/// Reads the stamps of lines, of which most begin as the one before did.
class StampReader {
public:
    /// Of "2026-03-03T10:11:02.123456Z" at the front of the text.
    std::optional<std::int64_t> read(std::string_view text);
    /// kNoTime: the line does not begin with one.
    std::int64_t time_of(std::string_view line, LogFormat format);

private:
    std::string minute_;  ///< "2026-03-03T10:11:"
    std::int64_t minute_usec_ = 0;
};

/// What the job has written: the line without what the logger put around it. `room` keeps it where it is not in the file as such.
std::string_view text_of(const LogLine& line, std::string& room);

/// Whether these bytes begin a line, or go on with one of the file before. Of a raw file nobody knows.
bool begins_line(std::string_view bytes, LogFormat format);

}  // namespace procsup::ctl
