// Where runs begin, and lines that have no end of their own.
#include <sys/ioctl.h>

#include <algorithm>

#include "daemon/logger/pump.h"

namespace procsup::logger {
namespace {

Destination destination_of(const LineState& line) {
    if (line.format == LineState::kOfJournal) return Destination::Journal;
    return line.format == LineState::kOfOutput ? Destination::Output : Destination::Files;
}

}  // namespace

/// How much of what is left comes before the next run begins.
Result<std::size_t> Pump::bytes_of_this_run(Batch& batch, Stream& stream, Progress& progress) {
    auto& record = memory_.streams[batch.slot];
    const auto at = batch.begin + progress.consumed;
    const auto end = batch.begin + batch.size;
    for (const auto count = record.marks.count(); record.marks_seen != count; ++record.marks_seen) {
        if (count - record.marks_seen > RunMarks::kKept) record.marks_seen = count - RunMarks::kKept;
        const auto& mark = record.marks.get(record.marks_seen);
        if (mark.at > at) return static_cast<std::size_t>(std::min(mark.at, end) - at);
        if (auto done = begin_run(mark, stream, progress.line); !done) return done.error();
        progress.file_size = stream.sink.size();
        batch.set_progress(progress);
    }
    return static_cast<std::size_t>(end - at);
}

bool Pump::run_begins(const Stream& stream, std::uint64_t at) const {
    const auto& record = memory_.streams[stream.settings.slot];
    return record.marks_seen != record.marks.count() && record.marks.get(record.marks_seen).at <= at;
}

Result<void> Pump::begin_run(const RunMark& mark, Stream& stream, LineState& line) {
    const auto step = stream.format->close(line);
    if (auto done = write_step(step, stream); !done) return done;
    line = step.after;
    hooks_.line_ended(stream);
    stream.note_run(mark.time);
    return {};
}

void Pump::note_runs(Stream& stream) {
    auto& record = memory_.streams[stream.settings.slot];
    const auto taken = record.taken.load(std::memory_order_relaxed);
    // For nothing no file is made.
    if (taken == 0 || has_waiting(stream) || !stream.sink.look(0)) return;
    for (const auto count = record.marks.count(); record.marks_seen != count; ++record.marks_seen) {
        if (count - record.marks_seen > RunMarks::kKept) record.marks_seen = count - RunMarks::kKept;
        const auto& mark = record.marks.get(record.marks_seen);
        if (mark.at > taken) return;
        if (record.line.length > 0 && stream.settings.format != LogFormat::Raw) return;
        hooks_.line_ended(stream);
        stream.note_run(mark.time);
    }
}

void Pump::let_line_end(Stream& stream) const {
    int waiting = 0;
    ioctl(stream.pipe.get(), FIONREAD, &waiting);
    stream.line_ends_at = memory_.streams[stream.settings.slot].taken + static_cast<std::uint64_t>(waiting);
}

bool Pump::has_line_to_end(const Stream& stream) const {
    return stream.line_ends_at != 0 && memory_.streams[stream.settings.slot].taken >= stream.line_ends_at;
}

Pump::Moved Pump::end_line(Stream& stream, std::int64_t now) {
    auto& line = memory_.streams[stream.settings.slot].line;
    if (has_waiting(stream)) return Moved::HeldUp;
    stream.line_ends_at = 0;
    hooks_.line_ended(stream);
    if (line.length == 0) return Moved::Some;
    auto done = stream.sink.look(now);
    const auto size = stream.sink.size();
    if (done && !stream.sink.has_lost_its_end()) {
        const auto step = stream.format->close(line);
        done = write_step(step, stream);
        if (done) line = step.after;
        if (!done && stream.sink.size() > size) (void)stream.sink.cut(size);
    }
    if (done) return go_on(stream);
    stream.line_ends_at = memory_.streams[stream.settings.slot].taken;
    return refuse(stream, done.error(), now);
}

/// What is in a file stays as it is. What was begun for where it is sent as a whole, and cannot end there any more, is lost.
void Pump::adopt(const Stream& stream, std::int64_t now) {
    auto& record = memory_.streams[stream.settings.slot];
    Batch* const batch = waiting_batch(stream.settings.slot);
    const bool writing = batch != nullptr && batch->phase.load(std::memory_order_relaxed) >= Phase::Looking;
    auto progress = writing ? batch->progress() : Progress{};
    const auto& line = writing ? progress.line : record.line;
    const auto to = destination_of(line);
    if (line.format == 0 || to == stream.settings.to) return;
    if (to != Destination::Files && line.length > 0) {
        if (record.losses.lines++ == 0) record.losses.first = now;
        record.losses.last = now;
    }
    record.line = progress.line = LineState{};
    if (writing) batch->set_progress(progress);
}

}  // namespace procsup::logger
