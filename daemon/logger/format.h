#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "common/log_file.h"

namespace procsup::logger {

/// How far the line is that was written last. Plain data: it stands in memory that outlives the logger.
struct LineState {
    std::uint64_t length =
        0;  ///< bytes of it in the file, or in its BegunLine; 0: what was written ends with a whole line
    std::uint8_t cut[4] = {};  ///< Json: the bytes of a character that the last batch ended within
    std::uint32_t cut_size = 0;
    std::uint32_t continued = 0;  ///< the next line is the rest of one that was cut
    std::uint32_t priority = 0;   ///< of that line, in the journal
    std::uint32_t format = 0;     ///< 1 + the LogFormat of the end of the file; kOfJournal; kOfOutput; 0: not known

    static constexpr std::uint32_t kOfJournal = 1 + std::size(kLogFormatNames);
    static constexpr std::uint32_t kOfOutput = kOfJournal + 1;

    bool is_sound() const { return cut_size <= sizeof(cut) - 1 && format <= kOfOutput; }
};

/// The beginning of a line that can only be sent as a whole. As long as journald lets lines of a service be.
struct BegunLine {
    static constexpr std::size_t kMost = 48 * 1024;
    char text[kMost];
};

/// What is written next, and what comes of it.
struct Step {
    std::string_view bytes;    ///< for the sink; valid until the next step of any stream
    std::size_t consumed = 0;  ///< bytes of the batch that this is
    LineState after;
    bool rotate = false;  ///< the file is full when they are written
    bool more = false;    ///< of what was asked for: it is asked for again
};

/// Whose lines they are.
struct LineSource {
    std::string_view job, instance, stream;
};

/// Turns what a job writes into what a sink gets, step by step.
class Format {
public:
    virtual ~Format() = default;

    /// The time that lines get which begin from now on: microseconds since 1970.
    virtual void set_time(std::int64_t usec) = 0;
    /// `data` is what is left of the batch, not empty; `size` of the file so far.
    virtual Step next(std::string_view data, const LineState& line, std::uint64_t size) = 0;
    /// Ends the line that was begun, without a byte of the stream.
    virtual Step close(const LineState& line) = 0;
    /// A line that tells of lines that are not there. `first`, `last`: when they were dropped.
    virtual Step note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& line) = 0;
};

/// "2026-03-03T10:11:02.123456Z".
std::string time_stamp(std::int64_t usec);
/// "[procsupd: 3 lines lost, 2026-… to 2026-…]".
std::string loss_text(std::uint64_t lines, std::int64_t first, std::int64_t last);

}  // namespace procsup::logger
