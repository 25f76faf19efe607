// What is read to its end: streams that are to be forgotten, runs, and everything.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

#include "daemon/logger/clock.h"
#include "daemon/logger/logger.h"

namespace procsup::logger {
namespace {

/// procsupd has died, and with it its jobs; what has not ended after this is not waited for.
constexpr auto kLongestOrphaned = std::chrono::seconds(10);

constexpr auto kReaderPause = std::chrono::milliseconds(5);

}  // namespace

void Logger::lose_procsupd() {
    orphaned_ = true;
    ending_ = true;
    control_watch_.reset();
    if (lookout_) lookout_->end();
    give_up_ = loop_.call_at(loop_.now() + kLongestOrphaned, [this] { give_up(); });
    finish_streams();
}

void Logger::give_up() {
    for (const auto& [slot, stream] : streams_) say_lost(*stream);
    end_(EXIT_FAILURE);
}

/// Without waiting for who reads that, who may be the same that it could not be written to.
void Logger::say_lost(const Stream& stream) {
    int bytes = 0;
    ioctl(stream.pipe.get(), FIONREAD, &bytes);
    if (bytes == 0 && !pump_->has_waiting(stream)) return;
    const auto rest = std::make_unique<OutputRest>();
    (void)OwnOutput(loop_, STDERR_FILENO, *rest)
        .append(fmt::format("procsup-logger: {}: {} bytes and more of its {} are lost: {}\n", stream.settings.instance,
                            bytes, stream.settings.name, stream.problem.empty() ? "it still writes" : stream.problem));
}

/// Reads what is to be forgotten to its end; the end of everything, when that is what is asked for.
void Logger::finish_streams() {
    if (ending_ && !pump_) return end_(EXIT_SUCCESS);
    std::vector<std::uint32_t> finished;
    const auto now = wall_usec();
    for (auto& [slot, stream] : streams_) {
        if (!ending_ && !stream->removing) continue;
        if (ending_ && stream->settings.to == Destination::Output && output_->gone()) {
            say_lost(*stream);
            finished.push_back(slot);
            continue;
        }
        if (pump_->has_waiting(*stream)) continue;
        const bool emptied = empty_pipe(*stream, now);
        // While procsupd lives it holds the writing end itself: then an empty pipe is the end.
        if (!stream->at_end && (!emptied || orphaned_)) continue;
        // Nothing is left in it but a line without an end, and what rate_limit has dropped and the file does not tell of yet.
        auto moved = pump_->end_line(*stream, now);
        if (moved == Pump::Moved::Some) moved = pump_->settle_losses(*stream, now);
        if (moved == Pump::Moved::Some) finished.push_back(slot);
        if (moved == Pump::Moved::Refused) refused(*stream);
        if (moved == Pump::Moved::HeldUp && !pause_) go_on_after(round_pause_);
    }
    for (const auto slot : finished) forget(slot);
    end_when_done();
}

/// The last lines of a container are what its log is read for: who reads them slowly is waited for.
void Logger::end_when_done() {
    if (!ending_ || !streams_.empty() || (state_ && !state_->idle())) return;
    const bool read_later = (mirror_ && mirror_->waits()) || (output_ && output_->waits());
    if (!read_later) return end_(EXIT_SUCCESS);
    ending_later_ = loop_.call_at(loop_.now() + kReaderPause, [this] { end_when_done(); });
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
        if (moved == Pump::Moved::HeldUp) ask_again(stream);
        if (moved != Pump::Moved::Some) return false;
        there -= static_cast<int>(bytes);
    }
    readers_.changed(stream.settings.slot);
    return true;
}

/// A line that the run has not ended is not left to wait for the next one.
void Logger::end_run(std::uint32_t slot) {
    Stream* const stream = find(slot);
    if (stream == nullptr || !working_) return;
    pump_->let_line_end(*stream);
    ask_again(*stream);
}

void Logger::forget(std::uint32_t slot) {
    watch(*streams_.at(slot), false);
    if (streams_.at(slot)->removing) --removing_;
    if (streams_.at(slot)->room >= Batch::kSize) --wide_;
    line_ended(*streams_.at(slot));
    streams_.erase(slot);
    auto& record = memory_->streams[slot];
    record.clear();
    if (record.awaited != 0) memory_->awaited[slot].begin_anew();
    say(slot_packet("removed", slot));
}

}  // namespace procsup::logger
