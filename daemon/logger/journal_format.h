#pragma once

#include <string>

#include "daemon/logger/whole_lines.h"

namespace procsup::logger {

/// The priority that "<0>" to "<7>" in front of a line gives it, taken off (sd-daemon(3)); else `usual`.
std::uint32_t take_priority(std::string_view& text, std::uint32_t usual);

/// Lines as entries of the journal, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): each step is one datagram. A
/// line is taken as journald takes one of a service: "<3>" in front is its priority, white space at its end does not count,
/// and an empty one is left out.
class JournalFormat final : public WholeLines {
public:
    JournalFormat(const LineSource& source, BegunLine& begun);

private:
    void put_line(std::string_view text, const LineState& line, bool ended, LineState& after) override;
    void put_loss(std::string_view text) override;
    void put_message(std::string_view text, std::uint32_t priority);

    std::uint32_t usual_priority_;
    std::string fields_;  ///< that every entry has
};

}  // namespace procsup::logger
