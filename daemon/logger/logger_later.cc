// What is done later: what cannot be written now, what gets too old, what is to be on the disk in time.
#include <algorithm>
#include <utility>

#include "daemon/logger/clock.h"
#include "daemon/logger/logger.h"
#include "daemon/logger/tail.h"

namespace procsup::logger {
namespace {

using namespace std::chrono_literals;

constexpr auto kRoomPause = 10ms;
constexpr auto kFirstRetry = 20ms;
constexpr auto kLongestRetry = 1000ms;

}  // namespace

void Logger::written(Stream& stream, std::string_view data) {
    const auto& settings = stream.settings;
    if (!stream.has_files()) keep_end(stream, data);
    if (settings.mirror) {
        if (!mirror_) mirror_ = std::make_unique<Mirror>(*output_);
        mirror_->add(settings.slot, settings.instance, data);
    }
    if (settings.sync == 0) {
        sync(stream);
    } else if (settings.sync > 0 && stream.sync_due == 0) {
        stream.sync_due = monotonic_usec() + settings.sync;
        if (!sync_) sync_ = loop_.call_at(TimePoint(std::chrono::microseconds(stream.sync_due)), [this] { sync(); });
    }
}

void Logger::line_ended(const Stream& stream) {
    if (mirror_) mirror_->end_line(stream.settings.slot, stream.settings.instance);
}

/// What cannot be put on the disk is a problem, though it is written.
void Logger::sync(Stream& stream) {
    const auto done = stream.file.sync();
    if (done) return;
    stream.problem = done.error().message;
    refused(stream);
}

void Logger::sync() {
    const auto now = monotonic_usec();
    std::int64_t next = 0;
    for (auto& [slot, stream] : streams_) {
        if (stream->sync_due == 0) continue;
        if (stream->sync_due <= now) {
            stream->sync_due = 0;
            sync(*stream);
        } else {
            next = next == 0 ? stream->sync_due : std::min(next, stream->sync_due);
        }
    }
    sync_.reset();
    if (next != 0) sync_ = loop_.call_at(TimePoint(std::chrono::microseconds(next)), [this] { sync(); });
}

void Logger::refused(Stream& stream) {
    watch(stream, false);
    tell_problem(stream);
    if (stream.settings.on_full != OnFull::Block && !room_) make_room();
    if (stream.settings.to == Destination::Output) await_reader();
    if (retry_) return;
    retry_pause_ = kFirstRetry;
    retry_ = loop_.call_at(loop_.now() + retry_pause_, [this] { try_again(); });
}

void Logger::await_reader() {
    if (std::exchange(reader_awaited_, true)) return;
    output_->when_room([this] {
        reader_awaited_ = false;
        if (retry_) try_again();
    });
}

/// Jobs that may lose lines do not wait for a disk: while it takes nothing their pipes are looked at often.
void Logger::make_room() {
    bool any = false;
    lookout_->begin_round();
    const auto now = wall_usec();
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
    const auto now = wall_usec();
    std::int64_t next = 0;
    const auto again_at = [&](std::int64_t time) { next = next == 0 ? time : std::min(next, time); };
    for (auto& [slot, stream] : streams_) {
        if (!stream->problem.empty() || !pump_->has_losses(*stream)) continue;
        if (stream->window_ends <= now) {
            const auto moved = pump_->settle_losses(*stream, now);
            if (moved == Pump::Moved::Refused) refused(*stream);
            if (moved == Pump::Moved::HeldUp) again_at(now + kRoomPause / 1us);
            readers_.changed(slot);
        } else {
            again_at(stream->window_ends);
        }
    }
    losses_.reset();
    if (next == 0) return;
    losses_ = loop_.call_at(loop_.now() + std::chrono::microseconds(next - now), [this] { settle_losses(); });
}

void Logger::try_again() {
    bool all = true;
    const auto now = wall_usec();
    for (auto& [slot, stream] : streams_) {
        if (stream->problem.empty()) continue;
        const auto before = std::exchange(stream->problem, {});
        // Without anything that waits, it is the file that could not be opened.
        if (auto there = stream->sink.look(now); !there) stream->problem = there.error().message;
        if (stream->problem.empty() && pump_->retry(*stream, now) != Pump::Moved::Refused) {
            say(problem_packet(slot, ""));
            const bool more = pump_->has_waiting(*stream) || stream->line_ends_at != 0;
            if (!stream->at_end || more) watch(*stream, true);
            if (more) ask_again(*stream);
            if (pump_->has_losses(*stream) && !losses_) settle_losses();
            readers_.changed(slot);
            continue;
        }
        all = false;
        if (stream->settings.to == Destination::Output) await_reader();
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
    const auto now = wall_usec();
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
