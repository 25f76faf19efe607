#include "daemon/host/kept_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "daemon/host/child.h"

namespace procsup {

namespace {

Fd opened(int pipe, int access) {
    return Fd(open(("/proc/self/fd/" + std::to_string(pipe)).c_str(), access | O_CLOEXEC));
}

}  // namespace

Result<Fd> make_kept_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    const Fd reading(ends[0]), writing(ends[1]);
    const Fd both = opened(reading.get(), O_RDWR);
    if (!both) return os_failure("open a pipe", errno);
    Fd kept(fcntl(both.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!kept) return os_failure("keep a pipe", errno);
    return kept;
}

Result<Fd> end_of_pipe(int pipe, int access) {
    Fd end = opened(pipe, access);
    if (!end && errno == EACCES) {
        fcntl(pipe, F_SETFL, 0);
        end.reset(fcntl(pipe, F_DUPFD_CLOEXEC, 0));
    }
    if (!end) return os_failure("open a pipe", errno);
    return end;
}

}  // namespace procsup
