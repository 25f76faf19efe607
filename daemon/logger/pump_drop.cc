// What is not written: dropped because nothing can be written at present, or because it is more than the job may write.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/logger/pump.h"

namespace procsup::logger {
namespace {

/// Lines in `data`, one that is not ended included.
std::uint64_t lines_in(std::string_view data) {
    const auto ended = static_cast<std::uint64_t>(std::count(data.begin(), data.end(), '\n'));
    return ended + (data.empty() || data.back() == '\n' ? 0 : 1);
}

}  // namespace

void Pump::lose(Stream& stream, std::string_view data, std::int64_t now) {
    auto& losses = memory_.streams[stream.settings.slot].losses;
    if (data.empty()) return;
    // The rest of a line that was counted already.
    const auto lines = lines_in(data) - (losses.in_line != 0 ? 1 : 0);
    losses.in_line = data.back() == '\n' ? 0 : 1;
    if (losses.lines == 0) losses.first = now;
    losses.last = now;
    losses.lines += lines;
}

/// How much at the front of a batch belongs to a line whose beginning is lost; with the run it ends too.
std::size_t Pump::rest_of_lost_line(Batch& batch) {
    auto& record = memory_.streams[batch.slot];
    if (record.losses.in_line == 0) return 0;
    std::size_t most = batch.size;
    if (record.marks_seen != record.marks.count()) {
        const auto at = record.marks.get(record.marks_seen).at;
        most = at <= batch.begin ? 0 : static_cast<std::size_t>(std::min<std::uint64_t>(most, at - batch.begin));
    }
    const auto newline = std::string_view(batch.data, most).find('\n');
    if (newline != std::string_view::npos || most < batch.size) record.losses.in_line = 0;
    return newline == std::string_view::npos ? most : newline + 1;
}

void Pump::make_room(Stream& stream, std::int64_t now) {
    int waiting = 0;
    ioctl(stream.pipe.get(), FIONREAD, &waiting);
    // As long as half of its pipe is free, the job does not wait. It may have made its pipe smaller.
    const int room = fcntl(stream.pipe.get(), F_GETPIPE_SZ);
    const bool has_room = waiting < room / 2;
    if (stream.settings.on_full == OnFull::Block || has_room) return;
    if (stream.settings.on_full == OnFull::DropNewest) {
        drop_from_pipe(stream, static_cast<std::size_t>(waiting), now);
        return;
    }
    Batch* batch = waiting_batch(stream.settings.slot);
    if (batch != nullptr) {
        if (!is_looked_through(*batch)) return;
        const auto begin = batch->progress().consumed;
        lose(stream, {batch->data + begin, batch->size - begin}, now);
        batch->enter(Phase::Idle);
    } else if (may_take(stream)) {
        batch = idle_batch();
    } else {
        return drop_from_pipe(stream, static_cast<std::size_t>(waiting), now);
    }
    take(*batch, stream, now);
    some_wait_ = true;
}

void Pump::drop_from_pipe(Stream& stream, std::size_t size, std::int64_t now) {
    std::vector<char> dropped(size);
    const ssize_t got = read(stream.pipe.get(), dropped.data(), dropped.size());
    if (got <= 0) return;
    const std::string_view data(dropped.data(), static_cast<std::size_t>(got));
    auto& taken = memory_.streams[stream.settings.slot].taken;
    const auto begin = taken.fetch_add(data.size());
    lose(stream, data, now);
    look_at_dropped(stream, begin, data);
}

/// Lets as many lines of the batch pass as the job may still write in this window.
void Pump::limit_rate(Batch& batch, Stream& stream, std::int64_t now) {
    const auto& limit = stream.settings;
    if (limit.rate_lines == 0) return;
    if (now >= stream.window_ends || now < stream.window_ends - limit.rate_window) {
        stream.window_ends = now + limit.rate_window;
        stream.window_lines = 0;
    }
    const auto begin = batch.progress().consumed;
    const std::string_view data(batch.data + begin, batch.size - begin);
    std::size_t passed = 0;
    while (passed < data.size() && stream.window_lines < limit.rate_lines) {
        const auto newline = data.find('\n', passed);
        passed = newline == std::string_view::npos ? data.size() : newline + 1;
        if (newline != std::string_view::npos) ++stream.window_lines;
    }
    lose(stream, data.substr(passed), now);
    batch.size = begin + static_cast<std::uint32_t>(passed);
}

bool Pump::has_losses(const Stream& stream) const { return memory_.streams[stream.settings.slot].losses.lines > 0; }

/// In the file, where they would stand.
Result<void> Pump::note_losses(Stream& stream, LineState& line) {
    auto& losses = memory_.streams[stream.settings.slot].losses;
    if (losses.lines == 0) return {};
    for (bool more = true; more;) {
        const auto step = stream.format->note_loss(losses.lines, losses.first, losses.last, line);
        if (auto done = write_step(step, stream); !done) return done;
        line = step.after;
        more = step.more;
    }
    losses.lines = 0;
    return {};
}

/// In front of what is written of the batch.
Result<void> Pump::note_losses(Batch& batch, Stream& stream, std::int64_t now) {
    if (!has_losses(stream)) return {};
    auto progress = batch.progress();
    stream.format->set_time(now);
    const auto done = note_losses(stream, progress.line);
    if (done) progress.file_size = stream.sink.size();
    batch.set_progress(progress);
    return done;
}

Pump::Moved Pump::settle_losses(Stream& stream, std::int64_t now) {
    if (!has_losses(stream) || has_waiting(stream)) return Moved::Some;
    auto& line = memory_.streams[stream.settings.slot].line;
    auto done = stream.sink.look(now);
    const auto size = stream.sink.size();
    if (done) {
        stream.format->set_time(now);
        done = note_losses(stream, line);
        if (!done && stream.sink.size() > size) (void)stream.sink.cut(size);
    }
    return done ? go_on(stream) : refuse(stream, done.error(), now);
}

}  // namespace procsup::logger
