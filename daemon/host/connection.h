#pragma once

#include <optional>
#include <string>

#include "common/fd.h"

namespace procsup {

/// A client of a job that accepts.
struct Connection {
    Fd fd;                ///< not for a path of procsupd's own: a run blocks on it
    std::string address;  ///< numbers, of TCP; else empty
    std::string port;
    std::string text;  ///< for people: "127.0.0.1:4711", "pid 12 of uid 1000"
};

/// The next one of `listening`, which does not block; nothing: errno says why.
std::optional<Connection> accept_connection(int listening);

}  // namespace procsup
