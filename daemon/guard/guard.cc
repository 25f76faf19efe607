// procsup-guard: ends every job's tree when procsupd has died, by whatever cause.
//
// Its descriptors: 0 is a pipe of which procsupd alone holds the other end, 1 the directory of the cgroup that has all jobs
// below it, 2 a file that is only held open, as a lock. When procsupd ends in order it kills its guard before; the end of
// the pipe means that it could not. Nothing that is called here waits for a disk.
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include <cerrno>
#include <cstdint>

#include "common/raw_syscall.h"

namespace procsup {
namespace {

constexpr int kPipe = 0;
constexpr int kGroup = 1;

void wait_for_the_end_of_procsupd() {
    char byte = 0;
    long size = 0;
    do {
        size = raw_syscall(SYS_read, kPipe, &byte, 1);
    } while (size > 0 || size == -EINTR);
}

/// SIGKILL to every process in the group and below at once (cgroups(7)).
bool kill_all() {
    const long file = raw_syscall(SYS_openat, kGroup, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const long written = raw_syscall(SYS_write, file, "1", 1);
    raw_syscall(SYS_close, file);
    return written == 1;
}

/// The file begins with "populated 0" or "populated 1" (cgroups(7)).
bool is_populated() {
    constexpr int kDigit = 10;
    char text[64] = {};
    const long file = raw_syscall(SYS_openat, kGroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    raw_syscall(SYS_read, file, text, sizeof(text));
    raw_syscall(SYS_close, file);
    return text[kDigit] == '1';
}

}  // namespace
}  // namespace procsup

extern "C" int main(int, char**) {
    using namespace procsup;
    const std::uint64_t all = ~std::uint64_t{0};
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof(all));
    wait_for_the_end_of_procsupd();
    // The lock is given back only when nothing is left: until then no other procsupd starts a second copy of anything.
    constexpr long kLongestPause = 100'000'000;
    timespec pause{0, 1'000'000};
    while (kill_all() && is_populated()) {
        raw_syscall(SYS_nanosleep, &pause, nullptr);
        pause.tv_nsec = pause.tv_nsec * 2 < kLongestPause ? pause.tv_nsec * 2 : kLongestPause;
    }
    return 0;
}
