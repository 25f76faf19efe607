#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "daemon/logger/own_output.h"

namespace procsup::logger {

/// Repeats lines on procsupd's own output, each with its instance in front: for containers, where the first process's output
/// is the log. Never waits for who reads there: what is not taken soon enough is left out, and a line says how much that was.
class Mirror {
public:
    explicit Mirror(OwnOutput& output) : output_(output) {}

    /// `data`: what the stream `slot` of `instance` has written next.
    void add(std::uint32_t slot, std::string_view instance, std::string_view data);
    /// What the stream writes next is not of the line that it has begun.
    void end_line(std::uint32_t slot, std::string_view instance);
    /// Something waits for who reads.
    bool waits() const { return !waiting_.empty(); }
    /// Tries once more to write what waits.
    void flush();

    static constexpr std::size_t kMostWaiting = 1u << 20;
    static constexpr std::size_t kLongestLine = 16 * 1024;

private:
    void add_line(std::string_view instance, std::string_view line);
    void say_losses();

    OwnOutput& output_;
    std::map<std::uint32_t, std::string> begun_;  ///< lines without their ends
    std::string waiting_;
    std::uint64_t lost_ = 0;
    bool gone_ = false;  ///< nobody will ever read
    bool waits_for_room_ = false;
};

}  // namespace procsup::logger
