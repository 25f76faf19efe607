#include "daemon/logger/logger.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "daemon/logger/tail.h"

namespace procsup::logger {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongestRoundPause = std::chrono::microseconds(2000);
/// A pause that is kept within the loop's callback; longer ones let others have their turn.
constexpr auto kShortPause = std::chrono::microseconds(1000);
constexpr auto kOneTurn = std::chrono::milliseconds(5);
/// In percent of what a pipe holds: what a pause should not be so long as to exceed, lest a writer wait for it.
constexpr int kMuch = 50;
constexpr int kLittle = 12;
/// Pipes that are made larger: only so many, because a user who has made many gets but small ones from then on (pipe(7)).
constexpr int kMostWide = 32;

constexpr auto kRoomPause = 10ms;
constexpr auto kFirstRetry = 20ms;
constexpr auto kLongestRetry = 1000ms;
/// procsupd has died, and with it its jobs; what has not ended after this is not waited for.
constexpr auto kLongestOrphaned = 10s;

std::int64_t clock_usec(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

void rest(std::chrono::microseconds pause) {
    const timespec time{0, pause.count() * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace

Logger::Logger(EventLoop& loop, Fd control, std::function<void(int)> end)
    : loop_(loop),
      control_(std::move(control)),
      end_(std::move(end)),
      pipes_(epoll_create1(EPOLL_CLOEXEC)),
      readers_(loop, [this](std::uint32_t slot) { return find(slot); }),
      round_pause_(kLongestRoundPause),
      retry_pause_(kFirstRetry) {
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
    } else if (const auto* rotated = order->find("rotate")) {
        rotate(slots_of(*rotated));
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
    pump_ =
        std::make_unique<Pump>(*memory_, std::move(packet.fds[1]), std::move(packet.fds[2]),
                               Pump::Hooks{[this](std::uint32_t slot) { return find(slot); },
                                           [this](Stream& stream, std::string_view data) { written(stream, data); }});
}

void Logger::work() {
    pump_->recover(clock_usec(CLOCK_REALTIME));
    pipes_watch_->set_events(EPOLLIN);
    for (auto& [slot, stream] : streams_) pump_->has_waiting(*stream) ? refused(*stream) : watch(*stream, true);
    working_ = true;
    expire();
}

/// Of the same stream with other settings.
void Logger::take_over(Stream& renewed, const Stream& before) {
    renewed.watched = before.watched;
    renewed.busy = before.busy;
    renewed.removing = before.removing;
    renewed.at_end = before.at_end;
    // What waits is tried with the new settings when its time has come.
    renewed.problem = before.problem;
}

void Logger::add_stream(const json::Value& member, Packet& packet) {
    auto settings = stream_of(member);
    Stream* const before = find(settings.slot);
    if (settings.slot >= kMostStreams || (before == nullptr && packet.fds.size() != 1)) return;
    auto& dir = dirs_[settings.dir];
    auto shared = dir.lock();
    if (!shared) {
        shared = std::make_shared<LogDir>(settings.dir, locked_dirs_, &compressor_);
        dir = shared;
    }
    Fd pipe = before != nullptr ? std::move(before->pipe) : std::move(packet.fds[0]);
    const auto room = static_cast<std::size_t>(std::max(fcntl(pipe.get(), F_GETPIPE_SZ), PIPE_BUF));
    if (before == nullptr && room >= Batch::kSize) ++wide_;
    const auto slot = settings.slot;
    auto renewed = std::make_unique<Stream>(std::move(settings), std::move(pipe), std::move(shared));
    renewed->room = room;
    if (before != nullptr) take_over(*renewed, *before);
    streams_[slot] = std::move(renewed);
    if (before == nullptr && working_) watch(*streams_[slot], true);
    if (streams_[slot]->settings.retention.max_age > 0 && working_ && !expiry_) expire();
}

/// All that the run has written is in the file before its last lines are looked for.
void Logger::tail(std::uint32_t slot, std::uint32_t run) {
    Stream* const stream = find(slot);
    if (stream == nullptr || !working_) return;
    if (!pump_->has_waiting(*stream)) empty_pipe(*stream, clock_usec(CLOCK_REALTIME));
    pump_->note_runs(*stream);
    const auto seen = memory_->streams[slot].marks_seen;
    if (seen > run) say(tail_packet(slot, run, last_lines(*stream, seen - 1 - run)));
}

void Logger::rotate(const std::vector<std::uint32_t>& slots) {
    for (const auto slot : slots) {
        Stream* const stream = find(slot);
        if (stream == nullptr || pump_->has_waiting(*stream)) continue;
        auto done = stream->file.look(clock_usec(CLOCK_REALTIME));
        if (done && stream->file.size() == 0) continue;
        if (done) done = stream->file.rotate();
        if (!done) {
            stream->problem = done.error().message;
            refused(*stream);
        }
        readers_.changed(slot);
    }
}

void Logger::lose_procsupd() {
    orphaned_ = true;
    ending_ = true;
    control_watch_.reset();
    give_up_ = loop_.call_at(loop_.now() + kLongestOrphaned, [this] { end_(EXIT_FAILURE); });
    finish_streams();
}

/// Reads what is to be forgotten to its end; the end of everything, when that is what is asked for.
void Logger::finish_streams() {
    if (ending_ && !pump_) return end_(EXIT_SUCCESS);
    std::vector<std::uint32_t> finished;
    const auto now = clock_usec(CLOCK_REALTIME);
    for (auto& [slot, stream] : streams_) {
        if (!ending_ && !stream->removing) continue;
        if (pump_->has_waiting(*stream)) continue;
        const bool emptied = empty_pipe(*stream, now);
        // While procsupd lives it holds the writing end itself: then an empty pipe is the end.
        if (stream->at_end || (emptied && !orphaned_)) finished.push_back(slot);
    }
    for (const auto slot : finished) forget(slot);
    if (ending_ && streams_.empty()) end_(EXIT_SUCCESS);
}

/// Moves what is in the pipe now, and no more: who is not ended with the job may write for ever. True: all of it is written.
bool Logger::empty_pipe(Stream& stream, std::int64_t now) {
    if (stream.at_end) return true;
    pollfd pipe{stream.pipe.get(), POLLIN, 0};
    int there = 0;
    // A look into the pipe first: for nothing no file is made.
    if (poll(&pipe, 1, 0) > 0 && (pipe.revents & POLLIN) == 0) stream.at_end = true;
    ioctl(stream.pipe.get(), FIONREAD, &there);
    while (there > 0) {
        std::size_t bytes = 0;
        const auto moved = pump_->move(stream, now, bytes);
        if (moved == Pump::Moved::Refused) refused(stream);
        if (moved != Pump::Moved::Some) return false;
        there -= static_cast<int>(bytes);
    }
    readers_.changed(stream.settings.slot);
    return true;
}

void Logger::forget(std::uint32_t slot) {
    watch(*streams_.at(slot), false);
    if (streams_.at(slot)->removing) --removing_;
    if (streams_.at(slot)->room >= Batch::kSize) --wide_;
    if (mirror_) mirror_->forget(slot);
    streams_.erase(slot);
    memory_->streams[slot].clear();
    say(slot_packet("removed", slot));
}

// ---- jobs

void Logger::written(Stream& stream, std::string_view data) {
    const auto& settings = stream.settings;
    if (settings.mirror) {
        if (!mirror_) mirror_ = std::make_unique<Mirror>(loop_, STDOUT_FILENO);
        mirror_->add(settings.slot, settings.instance, data);
    }
    if (settings.sync == 0) {
        (void)stream.file.sync();
    } else if (settings.sync > 0 && stream.sync_due == 0) {
        stream.sync_due = clock_usec(CLOCK_MONOTONIC) + settings.sync;
        if (!sync_) sync_ = loop_.call_at(TimePoint(std::chrono::microseconds(stream.sync_due)), [this] { sync(); });
    }
}

void Logger::sync() {
    const auto now = clock_usec(CLOCK_MONOTONIC);
    std::int64_t next = 0;
    for (auto& [slot, stream] : streams_) {
        if (stream->sync_due == 0) continue;
        if (stream->sync_due <= now) {
            (void)stream->file.sync();
            stream->sync_due = 0;
        } else {
            next = next == 0 ? stream->sync_due : std::min(next, stream->sync_due);
        }
    }
    sync_.reset();
    if (next != 0) sync_ = loop_.call_at(TimePoint(std::chrono::microseconds(next)), [this] { sync(); });
}

void Logger::watch(Stream& stream, bool on) {
    if (stream.watched == on) return;
    stream.watched = on;
    if (!std::exchange(stream.busy, false)) listen(stream, on);
}

/// To wake up who waits costs a writer as much as its whole write of a line: of a stream that brings much it is not told.
void Logger::set_busy(Stream& stream, bool busy) {
    if (stream.busy == busy || !stream.watched) return;
    stream.busy = busy;
    listen(stream, !busy);
    if (!busy || stream.room >= Batch::kSize || wide_ >= kMostWide) return;
    const int room = fcntl(stream.pipe.get(), F_SETPIPE_SZ, Batch::kSize);
    if (room <= 0) return;
    stream.room = static_cast<std::size_t>(room);
    ++wide_;
}

void Logger::listen(const Stream& stream, bool on) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = stream.settings.slot;
    epoll_ctl(pipes_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, stream.pipe.get(), &event);
}

void Logger::on_pipes() {
    pause_.reset();
    const auto turn_ends = clock_usec(CLOCK_MONOTONIC) + std::chrono::microseconds(kOneTurn).count();
    int fullest = 0;
    while (one_round(fullest)) {
        adapt_pause(fullest);
        if (round_pause_ >= kShortPause) {
            go_on_after(round_pause_);
            break;
        }
        if (round_pause_.count() > 0) rest(round_pause_);
        if (clock_usec(CLOCK_MONOTONIC) >= turn_ends) {
            if (!busy_.empty()) pause_ = loop_.call_each_turn(Priority::Client, [this] { on_pipes(); });
            break;
        }
    }
    if (ending_ || removing_ > 0) finish_streams();
}

void Logger::go_on_after(std::chrono::microseconds pause) {
    pipes_watch_->set_events(0);
    const auto until = TimePoint(std::chrono::microseconds(clock_usec(CLOCK_MONOTONIC))) + pause;
    pause_ = loop_.call_at(until, [this] {
        pipes_watch_->set_events(EPOLLIN);
        on_pipes();
    });
}

/// Aims at rounds that bring neither so little that they are not worth it, nor so much that a writer has waited for them.
void Logger::adapt_pause(int fullest) {
    if (fullest >= kMuch) {
        round_pause_ = round_pause_ / 4;
        if (round_pause_ < 20us) round_pause_ = 0us;
    } else if (fullest < kLittle) {
        round_pause_ = std::min(kLongestRoundPause, round_pause_ * 3 / 2 + 10us);
    }
}

/// One batch of each pipe that has something; false: none had. `fullest`: how full one of them was, in percent.
bool Logger::one_round(int& fullest) {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(pipes_.get(), events.data(), static_cast<int>(events.size()), 0);
    fullest = 0;
    const auto now = clock_usec(CLOCK_REALTIME);
    for (const auto slot : std::exchange(busy_, {})) {
        Stream* const stream = find(slot);
        if (stream == nullptr || !stream->busy) continue;
        const int before = stream->full;
        stream->full = pump(*stream, now);
        fullest = std::max(fullest, stream->full);
        // With nothing after a lot, its writer does not need many writes for that: it may wake us up.
        const bool over = stream->full == 0 && (before >= kMuch || round_pause_ >= kShortPause);
        if (over) set_busy(*stream, false);
        if (stream->busy) busy_.push_back(slot);
    }
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        const auto slot = event.data.u32;
        Stream* const stream = find(slot);
        if (stream == nullptr) continue;
        if ((event.events & EPOLLIN) == 0) {
            reach_end(*stream);
            continue;
        }
        stream->full = pump(*stream, now);
        fullest = std::max(fullest, stream->full);
        if (stream->full >= kLittle) set_busy(*stream, true);
        if (stream->busy) busy_.push_back(slot);
    }
    return count > 0 || !busy_.empty();
}

/// How full its pipe was, in percent; 0: empty.
int Logger::pump(Stream& stream, std::int64_t now) {
    std::size_t bytes = 0;
    switch (pump_->move(stream, now, bytes)) {
        case Pump::Moved::Nothing: break;
        case Pump::Moved::Some:
            readers_.changed(stream.settings.slot);
            if (stream.settings.rate_lines > 0 && !losses_ && pump_->has_losses(stream)) settle_losses();
            break;
        case Pump::Moved::Refused: refused(stream); break;
        case Pump::Moved::End: reach_end(stream); break;
    }
    return static_cast<int>((bytes * 100 + stream.room - 1) / stream.room);
}

void Logger::reach_end(Stream& stream) {
    stream.at_end = true;
    watch(stream, false);
}

// ---- what cannot be written

void Logger::refused(Stream& stream) {
    watch(stream, false);
    tell_problem(stream);
    if (stream.settings.on_full != OnFull::Block && !room_) make_room();
    if (retry_) return;
    retry_pause_ = kFirstRetry;
    retry_ = loop_.call_at(loop_.now() + retry_pause_, [this] { try_again(); });
}

/// Jobs that may lose lines do not wait for a disk: while it takes nothing their pipes are looked at often.
void Logger::make_room() {
    bool any = false;
    const auto now = clock_usec(CLOCK_REALTIME);
    for (auto& [slot, stream] : streams_) {
        if (stream->problem.empty() || stream->settings.on_full == OnFull::Block) continue;
        any = true;
        pump_->make_room(*stream, now);
    }
    room_.reset();
    if (any) room_ = loop_.call_at(loop_.now() + kRoomPause, [this] { make_room(); });
}

/// What rate_limit has dropped is told of when the job may write again, also if it does not.
void Logger::settle_losses() {
    const auto now = clock_usec(CLOCK_REALTIME);
    std::int64_t next = 0;
    for (auto& [slot, stream] : streams_) {
        if (!stream->problem.empty() || !pump_->has_losses(*stream)) continue;
        if (stream->window_ends <= now) {
            pump_->settle_losses(*stream, now);
            readers_.changed(slot);
        } else {
            next = next == 0 ? stream->window_ends : std::min(next, stream->window_ends);
        }
    }
    losses_.reset();
    if (next == 0) return;
    losses_ = loop_.call_at(loop_.now() + std::chrono::microseconds(next - now), [this] { settle_losses(); });
}

void Logger::try_again() {
    bool all = true;
    const auto now = clock_usec(CLOCK_REALTIME);
    for (auto& [slot, stream] : streams_) {
        if (stream->problem.empty()) continue;
        const auto before = std::exchange(stream->problem, {});
        // Without anything that waits, it is the file that could not be opened.
        if (auto there = stream->file.look(now); !there) stream->problem = there.error().message;
        if (stream->problem.empty() && pump_->retry(*stream, now)) {
            say(problem_packet(slot, ""));
            if (!stream->at_end) watch(*stream, true);
            readers_.changed(slot);
            continue;
        }
        all = false;
        if (stream->problem != before) tell_problem(*stream);
    }
    if (all) {
        retry_.reset();
    } else {
        retry_pause_ = std::min<std::chrono::milliseconds>(retry_pause_ * 2, kLongestRetry);
        retry_ = loop_.call_at(loop_.now() + retry_pause_, [this] { try_again(); });
    }
    finish_streams();
}

/// Where files have an age: what is too old goes, and this is called again when the next one is.
void Logger::expire() {
    constexpr std::int64_t kLongest = 3'600'000'000;  // the wall clock may be set
    const auto now = clock_usec(CLOCK_REALTIME);
    std::int64_t next = 0, shortest = 0;
    for (auto& [slot, stream] : streams_) {
        const auto max_age = stream->settings.retention.max_age;
        if (max_age == 0 || pump_->has_waiting(*stream)) continue;
        shortest = shortest == 0 ? max_age : std::min(shortest, max_age);
        const auto number = stream->file.number();
        const auto due = stream->file.expire(now);
        if (due != 0 && (next == 0 || due < next)) next = due;
        if (stream->file.number() != number) readers_.changed(slot);
    }
    expiry_.reset();
    if (shortest == 0) return;
    // A file that is begun now is that old then.
    const auto pause =
        std::clamp<std::int64_t>(next == 0 ? shortest : next - now, 1'000'000, std::min(shortest, kLongest));
    expiry_ = loop_.call_at(loop_.now() + std::chrono::microseconds(pause), [this] { expire(); });
}

void Logger::tell_problem(Stream& stream) { say(problem_packet(stream.settings.slot, stream.problem)); }

}  // namespace procsup::logger
