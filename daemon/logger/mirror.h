#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/event_loop.h"
#include "common/fd.h"

namespace procsup::logger {

/// Repeats lines on a descriptor, each with its instance in front: for containers, where the first process's output is the
/// log. Never waits for who reads there: what is not taken soon enough is left out, and a line says how much that was.
class Mirror {
public:
    /// What is written goes through a description of its own that does not block, where there can be one; else into `out` itself,
    /// and only what does not wait.
    Mirror(EventLoop& loop, int out);

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
    long put(std::string_view bytes) const;

    EventLoop& loop_;
    Fd out_;
    bool socket_ = false;
    bool shared_ = false;  ///< it is the description that others have too
    bool terminal_ = false;
    std::map<std::uint32_t, std::string> begun_;  ///< lines without their ends
    std::string waiting_;
    std::uint64_t lost_ = 0;
    std::unique_ptr<Watch> room_;
};

}  // namespace procsup::logger
