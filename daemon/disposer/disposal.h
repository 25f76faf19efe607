#pragma once

#include <atomic>

namespace procsup {

/// What a process that shares the daemon's memory and descriptors does for it, and how far it has come.
struct Disposal {
    enum class Step : int { NotBegun, Begun, Closing };
    int daemon = 0;  ///< the pid of who has made it
    int fd = -1;
    bool takes_message = false;  ///< the next one of the socket, before it is closed
    std::atomic<Step> step = Step::NotBegun;
};

/// The whole of that process; `disposal`: a Disposal. Only system calls: see child.cc.
int dispose(void* disposal);

}  // namespace procsup
