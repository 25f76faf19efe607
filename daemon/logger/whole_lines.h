#pragma once

#include <string>

#include "daemon/logger/format.h"

namespace procsup::logger {

/// Lines for where each is sent as a whole: a step is one of them, or nothing while none has ended. One that is longer than
/// BegunLine is sent in pieces.
class WholeLines : public Format {
public:
    /// Keeps in `begun` what the LineState counts of a line, and writes only behind that: until a step is noted as done, it
    /// can be made again. `form`: that of LineState.
    WholeLines(BegunLine& begun, std::uint32_t form) : begun_(begun), form_(form) {}

    /// Who gets the lines knows the time.
    void set_time(std::int64_t /*usec*/) final {}
    Step next(std::string_view data, const LineState& line, std::uint64_t size) final;
    Step close(const LineState& line) final;
    Step note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& line) final;

protected:
    /// Adds a line, or a piece of one that is not `ended`, to out_. `line`: as it was before; `after`: what is to be known of it
    /// with the next piece.
    virtual void put_line(std::string_view text, const LineState& line, bool ended, LineState& after) = 0;
    virtual void put_loss(std::string_view text) = 0;

    /// For all: a step is sent before the next one is asked for, of whichever stream.
    inline static thread_local std::string out_;

private:
    std::string_view joined(std::string_view text, const LineState& line);

    BegunLine& begun_;
    std::uint32_t form_;
    inline static thread_local std::string joined_;
};

}  // namespace procsup::logger
