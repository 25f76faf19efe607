#include "daemon/host/reaper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "daemon/host/child.h"

namespace procsup {
namespace {

/// Bounds a turn, so that a storm of exits leaves room for clients. Well within a time slice of the scheduler: who has no
/// real-time priority and is preempted among thousands of dying processes runs again when they are gone.
constexpr auto kBatch = std::chrono::microseconds(500);

/// A batch that took long is followed by a rest of this many times as long: what is collected then costs less, because a
/// look goes through all living children before the first zombie (0.65 ms with 10,000, under a lock that exits need too).
constexpr int kRest = 4;
/// Collecting costs less than this as long as a look finds a zombie at once: then there is nothing to be won by resting.
constexpr auto kCheap = std::chrono::microseconds(12);
constexpr auto kLongestRest = std::chrono::milliseconds(5);

Duration to_duration(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

Reaper::Reaper(SdEventLoop& loop, ChildEndObserver& observer) : loop_(loop), observer_(observer) {}

Result<void> Reaper::start() {
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    signals_.reset(signalfd(-1, &child_ended, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_) return os_failure("watch for ended children", errno);
    signals_.reset(fcntl(signals_.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    signal_ = loop_.watch_fd(signals_.get(), EPOLLIN, Priority::Exit, [this](std::uint32_t) {
        forget_signals();
        collect();
    });
    collect();
    return {};
}

/// Before looking for zombies: one that ends after the look signals again. At most one SIGCHLD is pending (signal(7)).
void Reaper::forget_signals() {
    signalfd_siginfo ignored;
    (void)!read(signals_.get(), &ignored, sizeof(ignored));
}

void Reaper::collect() {
    const auto begun = loop_.now();
    const int collected = collect_batch(begun + kBatch);
    const auto took = loop_.now() - begun;
    if (took < kBatch) return;
    signal_->set_events(0);
    const auto rest = took < collected * kCheap ? Duration::zero() : std::min<Duration>(took * kRest, kLongestRest);
    rest_ = loop_.call_at(begun + took + rest, [this] {
        rest_.reset();
        signal_->set_events(EPOLLIN);
        collect();
    });
}

int Reaper::collect_batch(TimePoint end) {
    int collected = 0;
    while (collect_one()) {
        ++collected;
        if (loop_.now() >= end) break;
    }
    return collected;
}

bool Reaper::collect_one() {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) {
        observer_.all_collected();
        return false;
    }
    observer_.about_to_collect(info.si_pid);
    // The system call has a fifth parameter that the C library's waitid() hides.
    rusage usage{};
    syscall(SYS_waitid, P_PID, info.si_pid, &info, WEXITED | WNOHANG, &usage);
    observer_.collected(info.si_pid, ExitStatus::from_waitid(info.si_code, info.si_status),
                        to_duration(usage.ru_utime) + to_duration(usage.ru_stime));
    return true;
}

}  // namespace procsup
