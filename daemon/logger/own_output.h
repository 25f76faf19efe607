#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "daemon/logger/sink.h"

namespace procsup::logger {

/// What is still to be written of a line that was begun. Plain data: it stands in memory that outlives the logger.
struct OutputRest {
    /// The longest line that is forwarded, each byte of it shown as four.
    static constexpr std::size_t kMost = 256 * 1024;
    std::atomic<std::uint32_t> size;  ///< bytes at the end of `text`; 0: there is none
    char text[kMost];
};

/// The standard output that the logger has from procsupd, for all that is written there by line. Never waits for who reads it,
/// and changes nothing of a description that others have too. What it takes are whole lines: one that there was not room for
/// to its end is ended before another one begins, also by the next logger. What was written cannot be asked for: who is
/// killed between writing and noting that writes it again.
class OwnOutput final : public Sink {
public:
    /// `rest` is that of an earlier one on the same output, and outlives this.
    OwnOutput(EventLoop& loop, int out, OutputRest& rest);

    Result<void> look(std::int64_t now) override;
    /// `lines`: whole ones; so are the bytes taken. EAGAIN: nobody reads there.
    Result<std::size_t> append(std::string_view lines) override;
    std::string_view place() const override { return "procsupd's standard output"; }

    /// Adds "instance | text" to `lines`; on a terminal with what would steer it shown instead.
    void add_line(std::string& lines, std::string_view instance, std::string_view text) const;
    /// A line was begun, and who reads there has to make room for the rest of it.
    bool waits() const { return rest_.size > 0 && error_ == EAGAIN; }
    /// Nobody can read there any more.
    bool gone() const { return error_ == EPIPE; }
    /// Calls `then` once when something was read there; after a fault of another kind from time to time.
    void when_room(std::function<void()> then);

private:
    enum class Way {
        Closed,  ///< not opened yet, or there is none
        Own,     ///< a description of its own that does not block
        File,    ///< its place is shared; writing does not wait for a reader
        Socket,
        SharedPipe,
        Shared,
    };
    void open();
    Result<void> end_line();
    void keep_rest(std::string_view rest);
    void watch_room();
    void on_room();
    Error failure(int error);
    long put(std::string_view bytes) const;
    long put_by_splice(std::string_view bytes) const;

    EventLoop& loop_;
    OutputRest& rest_;
    int given_;
    Fd out_;
    Way way_ = Way::Closed;
    bool terminal_;
    Fd step_in_, step_out_;  ///< of Way::SharedPipe: a pipe that only this writes to
    int error_ = 0;          ///< of what was tried last
    std::vector<std::function<void()>> then_;
    std::unique_ptr<Watch> room_;
};

}  // namespace procsup::logger
