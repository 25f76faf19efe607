#include "daemon/host/reaper.h"

#include <signal.h>
#include <sys/wait.h>

namespace procsup {
namespace {

/// Bounds a turn, so that a storm of exits leaves room for clients: about 5 ms.
constexpr int kBatch = 512;

}  // namespace

Reaper::Reaper(SdEventLoop& loop, ChildEndObserver& observer) : loop_(loop), observer_(observer) {}

void Reaper::start() {
    signal_ = loop_.watch_signal(SIGCHLD, Priority::Exit, [this] { collect_batch(); });
    collect_batch();
}

void Reaper::collect_batch() {
    for (int i = 0; i < kBatch; ++i) {
        siginfo_t info{};
        // P_ALL returns the same zombie until it is collected; with many live children the scan that finds none is
        // the dear one, and it happens once a batch.
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) {
            rest_.reset();
            return;
        }
        observer_.about_to_collect(info.si_pid);
        waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED | WNOHANG);
        observer_.collected(info.si_pid, ExitStatus::from_waitid(info.si_code, info.si_status));
    }
    if (!rest_) rest_ = loop_.call_each_turn(Priority::Exit, [this] { collect_batch(); });
}

}  // namespace procsup
