#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/packet_socket.h"
#include "daemon/logger/line_lookout.h"
#include "daemon/logger/memory.h"
#include "daemon/logger/mirror.h"
#include "daemon/logger/pump.h"
#include "daemon/logger/readers.h"
#include "daemon/logger/record_readers.h"
#include "daemon/logger/state_writer.h"
#include "daemon/logger/stream.h"

namespace procsup::logger {

/// procsup-logger: what procsupd says comes over one socket, what jobs write over one pipe for each of their streams. One
/// thread: a disk that hangs holds up all of it, and nothing else; there is another one for each other file system.
class Logger {
public:
    /// `control` is the connection to procsupd. `end` is called when nothing is left to do.
    Logger(EventLoop& loop, Fd control, std::function<void(int)> end);
    ~Logger();

    /// Around all that it does in a turn of the loop: what lasts is seen by procsupd.
    void turn_begins(TimePoint now);
    void turn_ends();

private:
    static constexpr auto kLongestRoundPause = std::chrono::microseconds(2000);

    // logger.cc: procsupd, and which streams there are
    void on_control();
    void obey(Packet& packet);
    void begin(Packet& packet);
    void work();
    void add_stream(const json::Value& member, Packet& packet);
    void tail(std::uint32_t slot, std::uint32_t run);
    std::vector<LogRun> runs_of(Stream& stream);
    void rotate(const std::vector<std::uint32_t>& slots);
    void write_later(StateWriter::Order order);
    void say(std::string packet);
    Stream* find(std::uint32_t slot);

    // logger_end.cc
    void finish_streams();
    void end_run(std::uint32_t slot);
    void end_when_done();
    bool empty_pipe(Stream& stream, std::int64_t now);
    void forget(std::uint32_t slot);
    void lose_procsupd();
    void give_up();
    void say_lost(const Stream& stream);

    // logger_rounds.cc: their pipes
    void watch(Stream& stream, bool on);
    void set_busy(Stream& stream, bool busy);
    void listen(const Stream& stream, bool on);
    void on_pipes();
    void go_on_after(std::chrono::microseconds pause);
    void adapt_pause(int fullest);
    bool one_round(int& fullest);
    int pump(Stream& stream, std::int64_t now);
    void ask_again(Stream& stream);
    void reach_end(Stream& stream);

    // logger_later.cc
    void written(Stream& stream, std::string_view data);
    void line_ended(const Stream& stream);
    void sync();
    void sync(Stream& stream);
    void refused(Stream& stream);
    void await_reader();
    void tell_problem(Stream& stream);
    void try_again();
    void make_room();
    void settle_losses();
    void expire();

    EventLoop& loop_;
    Fd control_;
    std::function<void(int)> end_;
    Fd pipes_;  ///< an epoll of its own: thousands of pipes are one source of the loop
    Compressor compressor_;
    JournalSocket journal_;
    Memory* memory_ = nullptr;
    std::unique_ptr<OwnOutput> output_;  ///< with memory_
    std::unique_ptr<LineLookout> lookout_;
    std::unique_ptr<Pump> pump_;
    std::map<std::uint32_t, std::unique_ptr<Stream>> streams_;
    std::vector<std::uint32_t> busy_;  ///< slots that are asked for in every round
    std::map<std::string, std::weak_ptr<LogDir>> dirs_;
    std::shared_ptr<LockedDirs> locked_dirs_ = std::make_shared<LockedDirs>();
    Readers readers_;
    RecordReaders record_readers_;
    std::unique_ptr<Mirror> mirror_;      ///< once it was needed
    std::unique_ptr<StateWriter> state_;  ///< once it was needed
    std::vector<std::string> unsaid_;     ///< for procsupd, when there is room
    std::size_t removing_ = 0;            ///< streams that are to be forgotten
    int wide_ = 0;                        ///< streams whose pipes hold a whole batch
    bool working_ = false;                ///< all streams are known, and what was begun before is finished
    bool ending_ = false;
    bool orphaned_ = false;  ///< procsupd has died
    /// Between two rounds: what comes meanwhile is moved at once, and its writers wake nobody up.
    std::chrono::microseconds round_pause_;
    bool held_up_ = false;         ///< a stream was, in this round
    bool reader_awaited_ = false;  ///< of procsupd's own output
    std::chrono::milliseconds retry_pause_{0};

    std::unique_ptr<Watch> control_watch_, pipes_watch_;
    std::unique_ptr<Watch> ending_later_;
    std::unique_ptr<Watch> pause_, retry_, room_, losses_, expiry_, sync_, give_up_;
};

}  // namespace procsup::logger
