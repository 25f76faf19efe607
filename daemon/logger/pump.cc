#include "daemon/logger/pump.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace procsup::logger {
namespace {

std::size_t bytes_in(const Fd& pipe) {
    int bytes = 0;
    ioctl(pipe.get(), FIONREAD, &bytes);
    return static_cast<std::size_t>(bytes);
}

/// How long a sink may take nothing before that is a problem: journald's queue is often full, for some milliseconds.
constexpr std::int64_t kPatience = 1'000'000;

/// A part is written where there is no room for all.
bool is_full_disk(const Error& error) {
    return error.os_error == ENOSPC || error.os_error == EDQUOT || error.os_error == EFBIG;
}

}  // namespace

Pump::Pump(Memory& memory, Fd staging_in, Fd staging_out, Hooks hooks)
    : memory_(memory),
      staging_in_(std::move(staging_in)),
      staging_out_(std::move(staging_out)),
      hooks_(std::move(hooks)) {}

void Pump::recover(std::int64_t now) {
    for (auto& batch : memory_.batches) {
        const auto phase = batch.phase.load(std::memory_order_acquire);
        if (phase == Phase::Idle) continue;
        if (!batch.is_sound() || !memory_.streams[batch.slot].is_sound()) {
            batch.enter(Phase::Idle);
            continue;
        }
        if (phase == Phase::Filling) {
            batch.size = static_cast<std::uint32_t>(std::min(bytes_in(staging_out_), Batch::kSize));
            batch.enter(Phase::Reading);
        }
        Stream* const stream = hooks_.find(batch.slot);
        if (phase < Phase::Looking) {
            take_from_staging(batch, bytes_in(staging_out_));
            memory_.streams[batch.slot].taken.store(batch.begin + batch.size, std::memory_order_release);
            const auto skipped = rest_of_lost_line(batch);
            // Which file it goes to is found out by resume().
            batch.set_progress({static_cast<std::uint32_t>(skipped), memory_.streams[batch.slot].line, 0, 0});
            batch.enter(first_phase(batch));
        }
        if (stream == nullptr) {
            batch.enter(Phase::Idle);
        } else {
            resume(batch, *stream, now);
        }
    }
    look_for_waiting();
}

/// `left` bytes are in the staging pipe; the others are in `data` already. A read from a pipe that has the bytes is not
/// interrupted, and what it has taken it has stored.
void Pump::take_from_staging(Batch& batch, std::size_t left) {
    std::size_t have = batch.size - std::min<std::size_t>(batch.size, left);
    while (have < batch.size) {
        const ssize_t size = read(staging_out_.get(), batch.data + have, batch.size - have);
        if (size > 0) have += static_cast<std::size_t>(size);
        if (size == 0 || (size < 0 && errno != EINTR)) break;
    }
}

Pump::Moved Pump::move(Stream& stream, std::int64_t now, std::size_t& bytes) {
    bytes = 0;
    if (Batch* const begun = some_wait_ ? waiting_batch(stream.settings.slot) : nullptr) {
        const auto moved = resume(*begun, stream, now);
        look_for_waiting();
        return moved;
    }
    if (has_line_to_end(stream) && stream.has_files()) {
        // In the file it ends with the batch that the next run begins with: a crash in between ends it once, too.
        stream.line_ends_at = 0;
        hooks_.line_ended(stream);
    } else if (has_line_to_end(stream)) {
        if (const auto ended = end_line(stream, now); ended != Moved::Some) return ended;
    }
    if (auto there = stream.sink.look(now); !there) {
        stream.problem = there.error().message;
        return Moved::Refused;
    }
    if (!may_look(stream)) return Moved::HeldUp;
    if (!may_take(stream)) return stream.problem.empty() ? Moved::HeldUp : Moved::Refused;
    Batch* const batch = idle_batch();
    const auto taken = take(*batch, stream, now);
    if (taken != Taken::Some) return taken == Taken::End ? Moved::End : Moved::Nothing;
    bytes = batch->size;
    return begin_to_write(*batch, stream, now);
}

/// When nothing is looked for in it any more.
Pump::Moved Pump::begin_to_write(Batch& batch, Stream& stream, std::int64_t now) {
    if (!is_looked_through(batch)) return Moved::HeldUp;
    if (now >= stream.window_ends) {
        if (auto told = note_losses(batch, stream, now); !told) return refuse(batch, stream, told.error(), now);
    }
    limit_rate(batch, stream, now);
    return write(batch, stream, now);
}

/// From the stream's pipe into Memory, ready to be written.
Pump::Taken Pump::take(Batch& batch, Stream& stream, std::int64_t now) {
    auto& record = memory_.streams[stream.settings.slot];
    batch.slot = stream.settings.slot;
    batch.time = now;
    batch.begin = record.taken.load(std::memory_order_relaxed);
    batch.enter(Phase::Filling);
    const ssize_t size =
        splice(stream.pipe.get(), nullptr, staging_in_.get(), nullptr, Batch::kSize, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (size <= 0) {
        batch.enter(Phase::Idle);
        return size == 0 ? Taken::End : Taken::Nothing;
    }
    batch.size = static_cast<std::uint32_t>(size);
    batch.enter(Phase::Reading);
    take_from_staging(batch, batch.size);
    record.taken.store(batch.begin + batch.size, std::memory_order_release);
    const auto skipped = rest_of_lost_line(batch);
    auto line = record.line;
    // The file that has its beginning was removed, or emptied.
    if (line.length > 0 && stream.sink.has_lost_its_end()) {
        line = LineState{};
        line.continued = 1;
    }
    batch.set_progress({static_cast<std::uint32_t>(skipped), line, stream.sink.size(), stream.sink.id()});
    batch.enter(first_phase(batch));
    return Taken::Some;
}

/// What was written of a step is taken back: it will be written again as a whole.
Pump::Moved Pump::refuse(Batch& batch, Stream& stream, const Error& error, std::int64_t now) {
    some_wait_ = true;
    const auto size = batch.progress().file_size;
    if (stream.sink.size() > size) (void)stream.sink.cut(size);
    return refuse(stream, error, now);
}

Pump::Moved Pump::refuse(Stream& stream, const Error& error, std::int64_t now) {
    if (error.os_error == EAGAIN) {
        if (stream.held_up_since == 0) stream.held_up_since = now;
        const auto waited = now - stream.held_up_since;
        if (waited >= 0 && waited < kPatience) return Moved::HeldUp;
    }
    stream.problem = error.message;
    return Moved::Refused;
}

Pump::Moved Pump::go_on(Stream& stream) {
    stream.held_up_since = 0;
    return Moved::Some;
}

Pump::Moved Pump::retry(Stream& stream, std::int64_t now) {
    Batch* const batch = waiting_batch(stream.settings.slot);
    auto moved = Moved::Some;
    if (batch != nullptr) {
        moved = resume(*batch, stream, now);
    } else if (!may_take(stream)) {
        moved = stream.problem.empty() ? Moved::HeldUp : Moved::Refused;
    }
    look_for_waiting();
    return moved == Moved::Some ? settle_losses(stream, now) : moved;
}

Pump::Moved Pump::resume(Batch& batch, Stream& stream, std::int64_t now) {
    auto progress = batch.progress();
    if (auto there = stream.sink.look(now); !there) {
        stream.problem = there.error().message;
        return Moved::Refused;
    }
    // A write that was begun and not noted is undone: it will be made again.
    if (stream.sink.id() == progress.file_id && stream.sink.size() > progress.file_size) {
        if (auto done = stream.sink.cut(progress.file_size); !done) {
            stream.problem = done.error().message;
            return Moved::Refused;
        }
    }
    progress.file_size = stream.sink.size();
    progress.file_id = stream.sink.id();
    batch.set_progress(progress);
    if (batch.phase.load(std::memory_order_relaxed) == Phase::Looking) return begin_to_write(batch, stream, now);
    if (stream.settings.on_full == OnFull::DropOldest) {
        if (auto told = note_losses(batch, stream, now); !told) return refuse(batch, stream, told.error(), now);
    }
    return write(batch, stream, now);
}

Pump::Moved Pump::write(Batch& batch, Stream& stream, std::int64_t now) {
    stream.format->set_time(batch.time);
    const auto begin = batch.progress().consumed;
    auto told = begin;
    const auto all = write_rest(batch, stream, told);
    const auto& progress = batch.progress();
    if (progress.consumed > told) hooks_.written(stream, {batch.data + told, progress.consumed - told});
    if (progress.consumed > begin) go_on(stream);
    if (!all) return refuse(batch, stream, all.error(), now);
    memory_.streams[batch.slot].line = progress.line;
    batch.enter(Phase::Idle);
    return go_on(stream);
}

/// `told`: how much of the batch hooks_.written was called for.
Result<void> Pump::write_rest(Batch& batch, Stream& stream, std::uint32_t& told) {
    // On a disk that is nearly full there is room for a part.
    constexpr std::size_t kSmallestPart = 4096;
    std::size_t most = Batch::kSize;
    for (auto progress = batch.progress(); progress.consumed < batch.size;) {
        if (const auto begun = batch.begin + progress.consumed; told < progress.consumed && run_begins(stream, begun)) {
            hooks_.written(stream, {batch.data + told, progress.consumed - told});
            told = progress.consumed;
        }
        const auto bytes = bytes_of_this_run(batch, stream, progress);
        if (!bytes) return bytes.error();
        const std::string_view left(batch.data + progress.consumed, std::min(*bytes, most));
        const auto step = stream.format->next(left, progress.line, stream.sink.size());
        if (auto done = write_step(step, stream); !done) {
            if (left.size() <= kSmallestPart || !is_full_disk(done.error())) return done;
            if (stream.sink.size() > progress.file_size) (void)stream.sink.cut(progress.file_size);
            most = left.size() / 2;
            continue;
        }
        progress.consumed += static_cast<std::uint32_t>(step.consumed);
        progress.line = step.after;
        progress.file_size = stream.sink.size();
        batch.set_progress(progress);
        if (!step.rotate) continue;
        if (stream.settings.sync >= 0) (void)stream.file.sync();
        if (auto done = stream.file.rotate(); !done) return done;
        progress.file_size = stream.file.size();
        progress.file_id = stream.file.id();
        batch.set_progress(progress);
    }
    return {};
}

Result<void> Pump::write_step(const Step& step, Stream& stream) const {
    auto bytes = step.bytes;
    while (!bytes.empty()) {
        const auto written = stream.sink.append(bytes);
        if (!written) return written.error();
        bytes.remove_prefix(*written);
    }
    return {};
}

}  // namespace procsup::logger
