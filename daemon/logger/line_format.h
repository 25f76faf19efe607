#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "common/log_file.h"

namespace procsup::logger {

/// How far the line is that a file ends with. Plain data: it stands in memory that outlives the logger.
struct LineState {
    std::uint64_t length = 0;  ///< bytes of it in the file; 0: the file ends with a whole line
    std::uint8_t cut[4] = {};  ///< Json: the bytes of a character that the last batch ended within
    std::uint32_t cut_size = 0;
    std::uint32_t continued = 0;  ///< the next line is the rest of one that was cut
    std::uint32_t format = 0;     ///< 1 + the LogFormat of the end of the file; 0: not known

    bool is_sound() const { return cut_size <= sizeof(cut) - 1 && format <= std::size(kLogFormatNames); }
};

/// What is written next, and what comes of it.
struct Step {
    std::string_view bytes;    ///< for the file; valid until the next step
    std::size_t consumed = 0;  ///< bytes of the batch that this is
    LineState after;
    bool rotate = false;  ///< the file is full when they are written
};

/// Whose lines they are; Json writes it on each.
struct LineSource {
    std::string_view job, instance, stream;
};

/// Turns what a job writes into what stands in its file, step by step. Pure. A file is full when the next line does not fit;
/// a line that alone is longer than a file is cut: Raw between any two bytes, else with a mark. So is a line that was begun in
/// another format.
class LineFormat {
public:
    /// `max_size`: of a file, 0: any size.
    LineFormat(LogFormat format, std::uint64_t max_size, const LineSource& source);

    /// The time that lines get which begin from now on: microseconds since 1970.
    void set_time(std::int64_t usec);

    /// `data` is what is left of the batch, not empty; `size` of the file so far.
    Step next(std::string_view data, const LineState& line, std::uint64_t size);

    /// Ends the line that the file ends within, without a byte of the stream.
    Step close(LineState line, bool cut = false);

    /// A line that tells of lines that are not there. `first`, `last`: when they were dropped.
    Step note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, LineState line);

    /// Does not fit into the buffer of one step only when the line is longer.
    static constexpr std::size_t kStepSize = 128 * 1024;

private:
    Step leave(LineState line);
    Step next_raw(std::string_view data, LineState line, std::uint64_t size) const;
    Step next_lines(std::string_view data, LineState line, std::uint64_t size);
    std::size_t add_text(std::string_view text, LineState& line, bool ended);
    void add_escaped(std::string_view text, LineState& line, bool ended);
    void begin_line(LineState& line, bool continued);
    void end_line(LineState& line, LogFormat format, bool cut);

    LogFormat format_;
    std::uint64_t max_size_;
    std::string prefix_, continued_prefix_;  ///< what every line begins with, at a given time
    std::size_t time_at_ = 0;                ///< in both
    std::string out_;
};

/// "2026-03-03T10:11:02.123456Z".
std::string time_stamp(std::int64_t usec);

}  // namespace procsup::logger
