#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/json.h"
#include "common/packet_socket.h"
#include "common/result.h"
#include "common/units.h"

namespace procsup {

class Processes;
namespace logger {
struct Memory;
}

/// Why no logger can run here; empty: one can.
std::string logger_fault();

/// One procsup-logger and what it needs to go on exactly where one before it was killed. Never waits for it: what has to be
/// told to it is queued, and it is started again as long as there is something for it to do.
class LoggerProcess {
public:
    struct Hooks {
        /// A new one has everything told to it: begins_work() is what follows upon the streams.
        std::function<void()> begun;
        std::function<void(const json::Value&)> heard;
        /// For the daemon's own log.
        std::function<void(const std::string&)> told;
    };
    /// `disk`: what its files are on, for people who look at processes.
    LoggerProcess(EventLoop& loop, Processes& processes, std::string disk, Hooks hooks);
    ~LoggerProcess();

    /// Starts it, if that was not done yet.
    Result<void> prepare();
    /// Nothing to prepare() any more, and what is told to it reaches it.
    bool running() const { return running_; }
    const std::string& disk() const { return disk_; }

    /// One packet (daemon/logger/protocol.h); dropped when it does not run: then the next one is told everything.
    void tell(std::string text);
    /// So much waits to be told that what can be left out had better be.
    bool overdue() const { return untold_.size() > kMuchUntold; }
    /// With a descriptor that stays the caller's.
    void tell_lending(std::string text, int fd);
    /// With one that goes to it. An error: too many wait to be taken.
    Result<void> tell_giving(std::string text, Fd fd);

    /// Of its memory, once prepare() has succeeded.
    logger::Memory& memory() { return *memory_; }
    int staging() const { return staging_out_.get(); }
    /// How long it has been within one call to its disk; zero: it is not, or not for long.
    Duration stuck() const;

    /// Has everything written that it was given, and it ended.
    void finish();
    bool finished() const { return !running_ && !again_; }

private:
    static constexpr std::size_t kMuchUntold = 1000;

    struct Message {
        std::string text;
        std::vector<int> lent;
        Fd owned;
    };

    Result<void> make_memory();
    void start();
    void ended(const std::string& how);
    void queue(Message message);
    void flush();
    void hear();

    EventLoop& loop_;
    Processes& processes_;
    std::string disk_;
    Hooks hooks_;
    std::string program_;
    Fd memory_file_, staging_in_, staging_out_;
    logger::Memory* memory_ = nullptr;
    Fd socket_;
    std::unique_ptr<Watch> watch_;
    std::deque<Message> untold_;
    std::string last_end_;  ///< how one ended that was hardly begun: told once
    bool running_ = false;
    bool finishing_ = false;
    TimePoint started_;
    std::chrono::milliseconds pause_{0};
    std::unique_ptr<Watch> again_;
};

}  // namespace procsup
