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
    if (tell_everything(reader) == Sent::Later) {
        reader.watch->set_events(EPOLLIN | EPOLLOUT);
    } else {
        readers_.remove_if([&](const Reader& one) { return &one == &reader; });
    }
}

Sent RecordReaders::tell_everything(Reader& reader) const {
    const auto& [path, names] = reader.wanted;
    const auto dir = open_way(path, false);
    if (!dir && dir.error().os_error != ENOENT) {
        const auto told = send_packet(reader.socket.get(), log_reading::problem_packet(path, dir.error().message));
        return told == Sent::Yes ? send_packet(reader.socket.get(), log_reading::listed_packet()) : told;
    }
    // The one that grows first: when it becomes the older one meanwhile it is offered twice, and nothing is missed.
    for (; dir && reader.offered < 2 * names.size(); ++reader.offered) {
        const auto told = offer(reader, *dir, names[reader.offered / 2], reader.offered % 2 == 1);
        if (told != Sent::Yes) return told;
    }
    return send_packet(reader.socket.get(), log_reading::listed_packet());
}

Sent RecordReaders::offer(const Reader& reader, const Fd& dir, const std::string& name, bool older) const {
    const auto file = open_records(dir, reader.wanted.dir, name, older);
    if (file) return send_packet_with(reader.socket.get(), log_reading::records_packet(name, older), file->get());
    if (file.error().os_error == ENOENT) return Sent::Yes;
    return send_packet(reader.socket.get(), log_reading::problem_packet(name, file.error().message));
}

}  // namespace procsup::logger
