// Where runs begin.
#include <algorithm>

#include "daemon/logger/pump.h"

namespace procsup::logger {

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

Result<void> Pump::begin_run(const RunMark& mark, Stream& stream, LineState& line) {
    const auto step = stream.format->close(line);
    if (auto done = write_step(step, stream); !done) return done;
    line = step.after;
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
        stream.note_run(mark.time);
    }
}

}  // namespace procsup::logger
