#include "daemon/logger/readers.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "common/packet_socket.h"

namespace procsup::logger {
namespace {

std::uint64_t size_of(const Fd& file) {
    struct stat status {};
    return fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string title_of(const Stream& stream) { return stream.settings.instance + " " + stream.settings.name; }

}  // namespace

void Readers::add(Fd socket, const std::vector<std::uint32_t>& slots, bool follow) {
    if (readers_.size() >= kMost) return;  // its connection ends, which it has to expect
    Reader& reader = readers_.emplace_back();
    reader.socket = std::move(socket);
    reader.follow = follow;
    for (const auto slot : slots) reader.streams[slot].changed = true;
    // Of a reader nothing is expected but its end.
    reader.watch = loop_.watch_fd(reader.socket.get(), EPOLLIN, Priority::Client, [this, &reader](std::uint32_t) {
        Packet ignored;
        if (receive_packet(reader.socket.get(), ignored) == Received::End) {
            readers_.remove_if([&](const Reader& one) { return &one == &reader; });
        } else {
            serve(reader);
        }
    });
    serve(reader);
}

void Readers::changed(std::uint32_t slot) {
    for (auto next = readers_.begin(); next != readers_.end();) {
        Reader& reader = *next++;
        const auto known = reader.streams.find(slot);
        if (!reader.follow || known == reader.streams.end()) continue;
        known->second.changed = true;
        if (!reader.waits) serve(reader);
    }
}

void Readers::serve(Reader& reader) {
    const auto told = tell_everything(reader);
    if (told == Sent::Gone || (told == Sent::Yes && !reader.follow)) {
        readers_.remove_if([&](const Reader& one) { return &one == &reader; });
        return;
    }
    reader.waits = told == Sent::Later;
    if (reader.watch) reader.watch->set_events(reader.waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

Sent Readers::tell_everything(Reader& reader) {
    for (auto& [slot, known] : reader.streams) {
        if (!known.changed) continue;
        if (const auto told = tell(reader, slot, known); told != Sent::Yes) return told;
        if (const auto told = tell_runs(reader, slot, known); told != Sent::Yes) return told;
        known.changed = false;
        known.listed = true;
    }
    if (!std::exchange(reader.listed, true)) {
        const auto told = send_packet(reader.socket.get(), log_reading::listed_packet());
        reader.listed = told == Sent::Yes;
        return told;
    }
    return Sent::Yes;
}

/// The files that it does not have yet, and how far the current one has grown.
Sent Readers::tell(Reader& reader, std::uint32_t slot, Known& known) {
    Stream* const stream = find_(slot);
    if (stream == nullptr) return Sent::Yes;
    if (auto ready = stream->file.prepare(); !ready) {
        return send_packet(reader.socket.get(), log_reading::problem_packet(title_of(*stream), ready.error().message));
    }
    const auto current = stream->file.number();
    const auto& rotated = stream->file.rotated();
    const auto oldest = rotated.empty() ? current : *rotated.begin();
    if (known.listed && known.offered + 1 < oldest) {
        const auto told =
            send_packet(reader.socket.get(), log_reading::missed_packet(slot, oldest - known.offered - 1));
        if (told != Sent::Yes) return told;
        known.offered = oldest - 1;
    }
    for (auto next = rotated.upper_bound(known.offered); next != rotated.end(); ++next) {
        if (const auto told = offer(reader, *stream, known, *next, false); told != Sent::Yes) return told;
    }
    if (known.offered < current) return offer(reader, *stream, known, current, true);
    if (known.size == stream->file.size()) return Sent::Yes;
    const auto told = send_packet(reader.socket.get(), log_reading::grown_packet(slot, current, stream->file.size()));
    if (told == Sent::Yes) known.size = stream->file.size();
    return told;
}

Sent Readers::tell_runs(Reader& reader, std::uint32_t slot, Known& known) {
    Stream* const stream = find_(slot);
    if (known.runs_told || stream == nullptr) return Sent::Yes;
    const auto told = send_packet(reader.socket.get(), log_reading::runs_packet(slot, runs_of_(*stream)));
    known.runs_told = told == Sent::Yes;
    return told;
}

Sent Readers::offer(Reader& reader, Stream& stream, Known& known, std::uint64_t number, bool current) {
    LogFile file;
    const auto& settings = stream.settings;
    auto opened = current ? stream.file.open_current() : stream.file.open_rotated(number, file.compressed);
    Sent told = Sent::Yes;
    if (opened) {
        file.stream = settings.slot;
        file.job = settings.job;
        file.instance = settings.instance;
        file.stream_name = settings.name;
        file.format = settings.format;
        file.number = number;
        file.current = current;
        file.size = size_of(*opened);
        told = send_packet_with(reader.socket.get(), log_reading::file_packet(file), opened->get());
    } else if (!current || opened.error().os_error != ENOENT) {
        told = send_packet(reader.socket.get(), log_reading::problem_packet(title_of(stream), opened.error().message));
    } else {
        return Sent::Yes;  // nothing was written yet
    }
    if (told != Sent::Yes) return told;
    known.offered = number;
    known.size = file.size;
    return told;
}

}  // namespace procsup::logger
