#include "daemon/host/containment/descent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "common/fd.h"

namespace procsup {
namespace {

/// A process that is held: as long as it exists, though perhaps as a zombie, its number is no other's.
class Held {
public:
    explicit Held(pid_t pid) : pid_(pid), handle_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

    bool exists() const {
        return handle_ && (syscall(SYS_pidfd_send_signal, handle_.get(), 0, nullptr, 0) == 0 || errno != ESRCH);
    }
    /// 0: it does not exist any more, or is not to be seen.
    pid_t parent() const {
        const Fd file(open(fmt::format("/proc/{}/stat", pid_).c_str(), O_RDONLY | O_CLOEXEC));
        char text[1024];
        const ssize_t size = file ? read(file.get(), text, sizeof(text) - 1) : -1;
        if (size <= 0 || !exists()) return 0;
        text[size] = '\0';
        // Behind the name, which may contain anything but ends with the last parenthesis (proc(5)).
        const char* rest = strrchr(text, ')');
        int parent = 0;
        return rest != nullptr && sscanf(rest + 1, " %*c %d", &parent) == 1 ? parent : 0;
    }

private:
    pid_t pid_;
    Fd handle_;
};

}  // namespace

bool descends_from(pid_t pid, pid_t ancestor) {
    const pid_t self = getpid();
    constexpr int kMostSteps = 256;  // a chain of parents that changes while it is followed must end
    Held process(pid);
    for (int step = 0; step < kMostSteps; ++step) {
        const pid_t parent = process.parent();
        if (parent == ancestor) return true;
        if (parent <= 1 || parent == self) return false;
        Held above(parent);
        // Not when it had ended before it was held, and another one had its number by then.
        if (process.parent() == parent && above.exists()) process = std::move(above);
    }
    return false;
}

}  // namespace procsup
