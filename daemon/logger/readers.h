#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/packet_socket.h"
#include "daemon/logger/stream.h"

namespace procsup::logger {

/// Offers files to those who read them; see common/log_file.h for what is said. A reader costs the same however slow it is:
/// what waits for it is not kept but looked up when it has room.
class Readers {
public:
    using FindStream = std::function<Stream*(std::uint32_t)>;
    using RunsOf = std::function<std::vector<LogRun>(Stream&)>;
    Readers(EventLoop& loop, FindStream find, RunsOf runs_of)
        : loop_(loop), find_(std::move(find)), runs_of_(std::move(runs_of)) {}

    void add(Fd socket, const std::vector<std::uint32_t>& slots, bool follow);
    /// Something was written of this stream, or its file was rotated.
    void changed(std::uint32_t slot);

    static constexpr std::size_t kMost = 1024;

private:
    /// What a reader knows of a stream.
    struct Known {
        std::uint64_t offered = 0;  ///< the highest number of a file that it has
        std::uint64_t size = 0;     ///< what it was told of that file's size
        bool listed = false;        ///< every file that there was when it began was offered
        bool runs_told = false;     ///< where they begin in those
        bool changed = false;       ///< there may be more to tell
    };
    struct Reader {
        Fd socket;
        bool follow = false;
        bool listed = false;
        std::map<std::uint32_t, Known> streams;
        std::unique_ptr<Watch> watch;
        bool waits = false;  ///< for room
    };

    void serve(Reader& reader);
    Sent tell_everything(Reader& reader);
    Sent tell(Reader& reader, std::uint32_t slot, Known& known);
    Sent tell_runs(Reader& reader, std::uint32_t slot, Known& known);
    Sent offer(Reader& reader, Stream& stream, Known& known, std::uint64_t number, bool current);

    EventLoop& loop_;
    FindStream find_;
    RunsOf runs_of_;
    std::list<Reader> readers_;
};

}  // namespace procsup::logger
