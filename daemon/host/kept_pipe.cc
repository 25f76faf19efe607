#include "daemon/host/kept_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "daemon/host/child.h"

namespace procsup {

Result<Fd> make_kept_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    const Fd reading(ends[0]), writing(ends[1]);
    const Fd both = open_end(reading.get(), O_RDWR);
    if (!both) return os_failure("open a pipe", errno);
    Fd kept(fcntl(both.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!kept) return os_failure("keep a pipe", errno);
    return kept;
}

Fd open_end(int pipe, int access) {
    return Fd(open(("/proc/self/fd/" + std::to_string(pipe)).c_str(), access | O_CLOEXEC));
}

}  // namespace procsup
