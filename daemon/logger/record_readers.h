#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/packet_socket.h"
#include "daemon/logger/protocol.h"

namespace procsup::logger {

/// Offers files of records to those who read them; see common/log_file.h for what is said. Of a slow reader only is kept how
/// far it is.
class RecordReaders {
public:
    explicit RecordReaders(EventLoop& loop) : loop_(loop) {}

    void add(Fd socket, WantedRecords wanted);

    static constexpr std::size_t kMost = 64;

private:
    struct Reader {
        Fd socket;
        WantedRecords wanted;
        std::size_t offered = 0;  ///< of two for each name
        std::unique_ptr<Watch> watch;
    };

    void serve(Reader& reader);
    Sent tell_everything(Reader& reader) const;
    Sent offer(const Reader& reader, const Fd& dir, const std::string& name, bool older) const;

    EventLoop& loop_;
    std::list<Reader> readers_;
};

}  // namespace procsup::logger
