#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/logger/format.h"

namespace procsup::logger {

/// Turns what a job writes into what stands in its file. Pure. A file is full when the next line does not fit;
/// a line that alone is longer than a file is cut: Raw between any two bytes, else with a mark. So is a line that was begun in
/// another format.
class LineFormat final : public Format {
public:
    /// `max_size`: of a file, 0: any size.
    LineFormat(LogFormat format, std::uint64_t max_size, const LineSource& source);

    void set_time(std::int64_t usec) override;
    Step next(std::string_view data, const LineState& line, std::uint64_t size) override;
    Step close(const LineState& line) override { return close(line, false); }
    Step note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& line) override;

    /// Does not fit into the buffer of one step only when the line is longer.
    static constexpr std::size_t kStepSize = 128 * 1024;

private:
    Step close(LineState line, bool cut);
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
    /// One for all: a step is written before the next one is asked for, of whichever stream.
    inline static thread_local std::string out_;
};

}  // namespace procsup::logger
