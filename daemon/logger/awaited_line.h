#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/regex.h"

namespace procsup::logger {

/// What StreamRecord::awaited has besides the number of the run: its line was there.
inline constexpr std::uint64_t kLineSeen = std::uint64_t{1} << 63;
constexpr bool is_awaited(std::uint64_t run) { return run != 0 && (run & kLineSeen) == 0; }

/// A line that procsupd waits for in a stream, and how far it was looked for. Plain data: it stands in memory that outlives the
/// logger, where it takes room only as long as a line is awaited.
struct alignas(4096) AwaitedLine {
    /// What of a line is looked at: its first bytes.
    static constexpr std::size_t kMost = 16 * 1024;

    /// The line that the stream is within.
    struct Place {
        std::uint64_t run = 0;     ///< that this is about; of another one it means nothing
        std::uint64_t next = 0;    ///< bytes of the stream that were looked at
        std::uint32_t length = 0;  ///< of what is in `begun` of that line; kMost: nothing more of it counts
        std::uint32_t reserved = 0;
    };

    // Written by procsupd, before it stores in StreamRecord::awaited which run it means.
    std::atomic<std::uint64_t> from;  ///< bytes of the stream before the first that counts
    std::uint32_t expression_size;
    char expression_text[kLongestRegex];

    std::string_view expression() const {
        return {expression_text, expression_size <= kLongestRegex ? expression_size : 0};
    }

    // By the logger.
    const Place& place() const { return places_[current_.load(std::memory_order_relaxed) & 1]; }
    /// Replaces all of it at once, as far as a reader after a crash can tell.
    void set_place(const Place& place) {
        const auto next = current_.load(std::memory_order_relaxed) ^ 1;
        places_[next & 1] = place;
        current_.store(next, std::memory_order_release);
    }
    /// The bytes of the stream are counted anew.
    void begin_anew() {
        set_place({});
        from = 0;
    }

private:
    Place places_[2];
    std::atomic<std::uint32_t> current_;

public:
    alignas(4096) char begun[kMost];
};

}  // namespace procsup::logger
