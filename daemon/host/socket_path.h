#pragma once

#include <string>

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// Where the file of a socket is.
struct SocketPlace {
    Fd dir;
    std::string name;       ///< in it
    std::string bind_path;  ///< leads there, and nowhere else whatever others do meanwhile
};

/// Goes down `path`, absolute and without "..", to the directory of its last element. A link on the way is followed where only
/// root or the caller can have made it, as /var/run is one.
Result<SocketPlace> open_socket_place(const std::string& path);

}  // namespace procsup
