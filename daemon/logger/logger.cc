#include "daemon/logger/logger.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "daemon/logger/clock.h"
#include "daemon/logger/tail.h"

namespace procsup::logger {
namespace {

/// Of a pipe that procsupd keeps, which is open for writing too: without that its end is seen when procsupd has died.
Fd reading_end(Fd pipe) {
    Fd end(open(("/proc/self/fd/" + std::to_string(pipe.get())).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    return end ? std::move(end) : std::move(pipe);
}

}  // namespace

Logger::Logger(EventLoop& loop, Fd control, std::function<void(int)> end)
    : loop_(loop),
      control_(std::move(control)),
      end_(std::move(end)),
      pipes_(epoll_create1(EPOLL_CLOEXEC)),
      readers_(
          loop, [this](std::uint32_t slot) { return find(slot); }, [this](Stream& stream) { return runs_of(stream); }),
      record_readers_(loop),
      round_pause_(kLongestRoundPause) {
    control_watch_ =
        loop_.watch_fd(control_.get(), EPOLLIN, Priority::SpawnResult, [this](std::uint32_t) { on_control(); });
    // Behind the timers: a job that writes all the time has always something there.
    pipes_watch_ = loop_.watch_fd(pipes_.get(), 0, Priority::Client, [this](std::uint32_t) { on_pipes(); });
}

Logger::~Logger() = default;

Stream* Logger::find(std::uint32_t slot) {
    const auto found = streams_.find(slot);
    return found != streams_.end() ? found->second.get() : nullptr;
}

void Logger::turn_begins(TimePoint now) {
    if (memory_ != nullptr) memory_->busy_since.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

void Logger::turn_ends() {
    if (memory_ != nullptr) memory_->busy_since.store(0, std::memory_order_relaxed);
}

// ---- procsupd

void Logger::on_control() {
    while (!unsaid_.empty()) {
        const auto sent = send_packet(control_.get(), unsaid_.front());
        if (sent == Sent::Later) break;
        unsaid_.erase(unsaid_.begin());
    }
    control_watch_->set_events(unsaid_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
    Packet packet;
    for (;;) {
        const auto received = receive_packet(control_.get(), packet);
        if (received == Received::Nothing) return;
        if (received == Received::End) return lose_procsupd();
        obey(packet);
    }
}

void Logger::say(std::string packet) {
    if (orphaned_) return;
    if (unsaid_.empty() && send_packet(control_.get(), packet) != Sent::Later) return;
    unsaid_.push_back(std::move(packet));
    control_watch_->set_events(EPOLLIN | EPOLLOUT);
}

void Logger::obey(Packet& packet) {
    const auto order = json::parse(packet.text);
    if (!order) return;
    if (order->bool_or("begin", false)) {
        begin(packet);
    } else if (const auto* added = order->find("stream")) {
        add_stream(*added, packet);
    } else if (order->bool_or("work", false)) {
        work();
    } else if (const auto* removed = order->find("remove")) {
        auto* const stream = find(static_cast<std::uint32_t>(removed->int_or("slot", 0)));
        if (stream != nullptr && !std::exchange(stream->removing, true)) ++removing_;
        finish_streams();
    } else if (const auto* read = order->find("read"); read != nullptr && packet.fds.size() == 1) {
        readers_.add(std::move(packet.fds[0]), slots_of(*read), read->bool_or("follow", false));
    } else if (const auto* wanted = order->find("tail")) {
        tail(static_cast<std::uint32_t>(wanted->int_or("slot", 0)),
             static_cast<std::uint32_t>(wanted->int_or("run", 0)));
    } else if (const auto* ended = order->find("ended")) {
        end_run(static_cast<std::uint32_t>(ended->int_or("slot", 0)));
    } else if (const auto* rotated = order->find("rotate")) {
        rotate(slots_of(*rotated));
    } else if (const auto* state = order->find("state")) {
        write_later(state_of(*state));
    } else if (const auto* records = order->find("records")) {
        write_later(records_of(*records));
    } else if (const auto* used = order->find("used")) {
        write_later(used_of(*used));
    } else if (const auto* history = order->find("history"); history != nullptr && packet.fds.size() == 1) {
        record_readers_.add(std::move(packet.fds[0]), wanted_of(*history));
    } else if (order->bool_or("end", false)) {
        ending_ = true;
        finish_streams();
    }
}

void Logger::begin(Packet& packet) {
    if (packet.fds.size() != 3) return end_(EXIT_FAILURE);
    auto memory = Memory::map(packet.fds[0]);
    if (!memory) return end_(EXIT_FAILURE);
    memory_ = *memory;
    output_ = std::make_unique<OwnOutput>(loop_, STDOUT_FILENO, memory_->rest);
    const auto tell = [this](std::uint32_t slot, std::uint64_t run, const std::string& fault) {
        say(line_packet(slot, run, fault));
    };
    lookout_ = std::make_unique<LineLookout>(
        *memory_, LineLookout::Hooks{[tell](std::uint32_t slot, std::uint64_t run) { tell(slot, run, {}); }, tell});
    pump_ = std::make_unique<Pump>(*memory_, std::move(packet.fds[1]), std::move(packet.fds[2]),
                                   Pump::Hooks{[this](std::uint32_t slot) { return find(slot); },
                                               [this](Stream& stream, std::string_view data) { written(stream, data); },
                                               [this](const Stream& stream) { line_ended(stream); }, lookout_.get()});
}

void Logger::work() {
    pump_->recover(wall_usec());
    pipes_watch_->set_events(EPOLLIN);
    for (auto& [slot, stream] : streams_) {
        if (!stream->problem.empty()) {
            refused(*stream);
            continue;
        }
        watch(*stream, true);
        if (pump_->has_waiting(*stream)) ask_again(*stream);
    }
    working_ = true;
    expire();
}

void Logger::add_stream(const json::Value& member, Packet& packet) {
    auto settings = stream_of(member);
    Stream* const before = find(settings.slot);
    if (!pump_ || settings.slot >= kMostStreams || (before == nullptr && packet.fds.size() != 1)) return;
    const auto now = wall_usec();
    if (before != nullptr && working_ && before->settings.to != settings.to) {
        // If that cannot be done now, adopt() counts what is lost.
        auto problem = before->problem;
        (void)pump_->end_line(*before, now);
        before->problem = std::move(problem);
    }
    auto& dir = dirs_[settings.dir];
    auto shared = dir.lock();
    if (!shared) {
        shared = std::make_shared<LogDir>(settings.dir, locked_dirs_, &compressor_);
        dir = shared;
    }
    // What a run before has written belongs where it was.
    const bool moves = before != nullptr && working_ && before->settings.dir != settings.dir;
    if (moves && !pump_->has_waiting(*before)) empty_pipe(*before, now);
    Fd pipe = before != nullptr ? std::move(before->pipe) : reading_end(std::move(packet.fds[0]));
    const auto room = static_cast<std::size_t>(std::max(fcntl(pipe.get(), F_GETPIPE_SZ), PIPE_BUF));
    if (before == nullptr && room >= Batch::kSize) ++wide_;
    const auto slot = settings.slot;
    auto renewed = std::make_unique<Stream>(std::move(settings), std::move(pipe), std::move(shared), journal_, *output_,
                                            memory_->begun[slot]);
    renewed->room = room;
    if (before != nullptr) {
        renewed->watched = before->watched;
        renewed->busy = before->busy;
        // Its job was removed, and is there again.
        if (before->removing) --removing_;
        renewed->at_end = before->at_end;
        renewed->held_up_since = before->held_up_since;
        renewed->line_ends_at = before->line_ends_at;
        // What waits is tried with the new settings when its time has come.
        renewed->problem = before->problem;
    }
    pump_->adopt(*renewed, now);
    streams_[slot] = std::move(renewed);
    if (before == nullptr && working_) watch(*streams_[slot], true);
    if (streams_[slot]->settings.retention.max_age > 0 && working_ && !expiry_) expire();
}

/// Also those that have written nothing yet: they begin where the file ends.
std::vector<LogRun> Logger::runs_of(Stream& stream) {
    if (!working_) return {};
    pump_->note_runs(stream);
    std::vector<LogRun> runs(stream.runs.places().begin(), stream.runs.places().end());
    const auto& record = memory_->streams[stream.settings.slot];
    for (auto mark = record.marks_seen; mark != record.marks.count(); ++mark) {
        runs.push_back({record.marks.get(mark).time, stream.file.number(), stream.file.size()});
    }
    return runs;
}

/// All that the run has written is in the file before its last lines are looked for. Of a run that has written nothing they are none.
void Logger::tail(std::uint32_t slot, std::uint32_t run) {
    Stream* const stream = find(slot);
    if (stream == nullptr || !working_) return;
    if (!pump_->has_waiting(*stream)) empty_pipe(*stream, wall_usec());
    pump_->note_runs(*stream);
    const auto seen = memory_->streams[slot].marks_seen;
    say(tail_packet(slot, run, seen > run ? last_lines(*stream, seen - 1 - run) : std::vector<std::string>()));
}

void Logger::rotate(const std::vector<std::uint32_t>& slots) {
    for (const auto slot : slots) {
        Stream* const stream = find(slot);
        if (stream == nullptr || pump_->has_waiting(*stream)) continue;
        auto done = stream->file.look(wall_usec());
        if (done && stream->file.size() == 0) continue;
        if (done) done = stream->file.rotate();
        if (!done) {
            stream->problem = done.error().message;
            refused(*stream);
        }
        readers_.changed(slot);
    }
}

void Logger::write_later(StateWriter::Order order) {
    if (!state_) {
        state_ = std::make_unique<StateWriter>(loop_, [this](std::string packet) {
            if (!packet.empty()) say(std::move(packet));
            finish_streams();
        });
    }
    state_->add(std::move(order));
}

}  // namespace procsup::logger
