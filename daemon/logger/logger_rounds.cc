// Pipes: when they are looked at, and how often.
#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/logger/clock.h"
#include "daemon/logger/logger.h"

namespace procsup::logger {
namespace {

/// A pause that is kept within the loop's callback; longer ones let others have their turn.
constexpr auto kShortPause = std::chrono::microseconds(1000);
constexpr auto kLeastPause = std::chrono::microseconds(20);
/// While journald's queue is full: it may hold no more than 10 lines (net.unix.max_dgram_qlen).
constexpr auto kHeldUpPause = std::chrono::microseconds(300);
constexpr auto kOneTurn = std::chrono::microseconds(5000);
/// In percent of what a pipe holds: what a pause should not be so long as to exceed, lest a writer wait for it.
constexpr int kMuch = 50;
constexpr int kLittle = 12;
/// Pipes that are made larger: only so many, because a user who has made many gets but small ones from then on (pipe(7)).
constexpr int kMostWide = 32;

void rest(std::chrono::microseconds pause) {
    const timespec time{0, pause.count() * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace

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
    const auto turn_ends = monotonic_usec() + kOneTurn.count();
    int fullest = 0;
    while (one_round(fullest)) {
        adapt_pause(fullest);
        if (round_pause_ >= kShortPause) {
            go_on_after(round_pause_);
            break;
        }
        if (round_pause_.count() > 0) rest(round_pause_);
        if (monotonic_usec() >= turn_ends) {
            if (!busy_.empty()) pause_ = loop_.call_each_turn(Priority::Client, [this] { on_pipes(); });
            break;
        }
    }
    if (ending_ || removing_ > 0) finish_streams();
}

void Logger::go_on_after(std::chrono::microseconds pause) {
    pipes_watch_->set_events(0);
    const auto until = TimePoint(std::chrono::microseconds(monotonic_usec())) + pause;
    pause_ = loop_.call_at(until, [this] {
        pipes_watch_->set_events(EPOLLIN);
        on_pipes();
    });
}

/// Aims at rounds that bring neither so little that they are not worth it, nor so much that a writer has waited for them.
void Logger::adapt_pause(int fullest) {
    if (fullest >= kMuch) {
        round_pause_ = round_pause_ / 4;
        if (round_pause_ < kLeastPause) round_pause_ = {};
    } else if (fullest < kLittle) {
        round_pause_ = std::min(kLongestRoundPause, round_pause_ * 3 / 2 + kLeastPause / 2);
    }
    if (std::exchange(held_up_, false)) round_pause_ = std::min(round_pause_, kHeldUpPause);
}

/// One batch of each pipe that has something; false: none had. `fullest`: how full one of them was, in percent.
bool Logger::one_round(int& fullest) {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(pipes_.get(), events.data(), static_cast<int>(events.size()), 0);
    fullest = 0;
    lookout_->begin_round();
    const auto now = wall_usec();
    auto busy = std::exchange(busy_, {});
    // What several wait for room in would always be filled by the first of them.
    if (!busy.empty()) std::rotate(busy.begin(), busy.begin() + 1, busy.end());
    for (const auto slot : busy) {
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
            if (!losses_ && pump_->has_losses(stream)) settle_losses();
            break;
        case Pump::Moved::HeldUp:
            held_up_ = true;
            set_busy(stream, true);
            return 1;
        case Pump::Moved::Refused: refused(stream); break;
        case Pump::Moved::End: reach_end(stream); break;
    }
    return static_cast<int>((bytes * 100 + stream.room - 1) / stream.room);
}

/// In the next round, whether its pipe has more or not.
void Logger::ask_again(Stream& stream) {
    if (!stream.watched || stream.busy) return;
    set_busy(stream, true);
    busy_.push_back(stream.settings.slot);
    if (!pause_) go_on_after(round_pause_);
}

void Logger::reach_end(Stream& stream) {
    stream.at_end = true;
    watch(stream, false);
}

}  // namespace procsup::logger
