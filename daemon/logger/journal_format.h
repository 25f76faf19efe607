#pragma once

#include <string>

#include "daemon/logger/format.h"

namespace procsup::logger {

/// The priority that "<0>" to "<7>" in front of a line gives it, taken off (sd-daemon(3)); else `usual`.
std::uint32_t take_priority(std::string_view& text, std::uint32_t usual);

/// Lines as entries of the journal, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): each step is one datagram, or
/// nothing while no line has ended. A line is taken as journald takes one of a service: "<3>" in front is its priority,
/// white space at its end does not count, an empty one is left out, and one that is longer than BegunLine is sent in pieces.
class JournalFormat final : public Format {
public:
    /// Keeps in `begun` what the LineState counts of a line, and writes only behind that: until a step is noted as done, it
    /// can be made again.
    JournalFormat(const LineSource& source, BegunLine& begun);

    /// journald knows the time.
    void set_time(std::int64_t /*usec*/) override {}
    Step next(std::string_view data, const LineState& line, std::uint64_t size) override;
    Step close(const LineState& line) override;
    Step note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& line) override;

private:
    std::string_view joined(std::string_view text, const LineState& line);
    void put_line(std::string_view text, const LineState& line, bool ended, LineState& after);
    void put_message(std::string_view text, std::uint32_t priority);

    BegunLine& begun_;
    std::uint32_t usual_priority_;
    std::string fields_;  ///< that every entry has
    /// For all: a step is sent before the next one is asked for, of whichever stream.
    inline static thread_local std::string joined_, out_;
};

}  // namespace procsup::logger
