#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/result.h"

namespace procsup::logger {

/// What the lines of a stream are written to.
class Sink {
public:
    virtual ~Sink() = default;

    /// Makes sure that it is there. `now`: microseconds.
    virtual Result<void> look(std::int64_t now) = 0;
    /// The bytes taken, which may be fewer on a full disk. EAGAIN: it takes none just now.
    virtual Result<std::size_t> append(std::string_view bytes) = 0;
    /// Where it is: what is out of order there is so for all sinks of this place.
    virtual std::string_view place() const = 0;

    // What can be seen and taken back of what was written; elsewhere than in a file nothing.
    virtual std::uint64_t size() const { return 0; }
    virtual std::uint64_t id() const { return 0; }
    virtual Result<void> cut(std::uint64_t /*size*/) { return {}; }
    /// The line that was begun in it is not there any more.
    virtual bool has_lost_its_end() const { return false; }
};

}  // namespace procsup::logger
