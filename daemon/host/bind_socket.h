#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/fd.h"
#include "common/result.h"
#include "conf/sockets.h"

/// Makes the sockets that jobs are to be given, and removes their files. A path may be on a file system that hangs: not for the
/// supervisor itself.
namespace procsup {

/// The file of a socket that was made here: there may be another one at its path since.
struct SocketFile {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

struct BoundSocket {
    Fd fd;
    std::optional<SocketFile> file{};
};

/// Listens as `socket` says, whose `listen` has no placeholder any more. What is at a path is replaced only if it is a socket that
/// nobody listens on. No link is followed that another user than the caller or root can have made.
Result<BoundSocket> bind_socket(const ListeningSocket& socket);

/// Removes `file`, if it is still there.
Result<void> remove_socket(const SocketFile& file);

}  // namespace procsup
