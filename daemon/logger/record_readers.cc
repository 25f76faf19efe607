#include "daemon/logger/record_readers.h"

#include <sys/epoll.h>

#include <cerrno>
#include <span>
#include <utility>

#include "common/log_file.h"
#include "common/packet_socket.h"
#include "daemon/logger/log_dir.h"
#include "daemon/logger/record_file.h"

namespace procsup::logger {

void RecordReaders::add(Fd socket, WantedRecords wanted) {
    if (readers_.size() >= kMost) return;  // its connection ends, which it has to expect
    Reader& reader = readers_.emplace_back();
    reader.socket = std::move(socket);
    reader.wanted = std::move(wanted);
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

void RecordReaders::serve(Reader& reader) {
    if (tell_everything(reader) == Told::NoRoom) {
        reader.watch->set_events(EPOLLIN | EPOLLOUT);
    } else {
        readers_.remove_if([&](const Reader& one) { return &one == &reader; });
    }
}

RecordReaders::Told RecordReaders::tell_everything(Reader& reader) const {
    const auto& [path, names] = reader.wanted;
    const auto dir = open_way(path, false);
    if (!dir && dir.error().os_error != ENOENT) {
        const auto told = send(reader, log_reading::problem_packet(path, dir.error().message));
        return told == Told::All ? send(reader, log_reading::listed_packet()) : told;
    }
    // The one that grows first: when it becomes the older one meanwhile it is offered twice, and nothing is missed.
    for (; dir && reader.offered < 2 * names.size(); ++reader.offered) {
        const auto told = offer(reader, *dir, names[reader.offered / 2], reader.offered % 2 == 1);
        if (told != Told::All) return told;
    }
    return send(reader, log_reading::listed_packet());
}

RecordReaders::Told RecordReaders::offer(const Reader& reader, const Fd& dir, const std::string& name,
                                         bool older) const {
    const auto file = open_records(dir, reader.wanted.dir, name, older);
    if (file) return send(reader, log_reading::records_packet(name, older), file->get());
    if (file.error().os_error == ENOENT) return Told::All;
    return send(reader, log_reading::problem_packet(name, file.error().message));
}

RecordReaders::Told RecordReaders::send(const Reader& reader, const std::string& packet, int fd) {
    const auto fds = fd >= 0 ? std::span<const int>(&fd, 1) : std::span<const int>();
    switch (send_packet(reader.socket.get(), packet, fds)) {
        case Sent::Yes: return Told::All;
        case Sent::Later: return Told::NoRoom;
        case Sent::Gone: return Told::Gone;
    }
    return Told::Gone;
}

}  // namespace procsup::logger
