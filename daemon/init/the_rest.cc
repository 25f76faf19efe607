// What is left when the command has ended.
#include <cerrno>

#include "common/raw_syscall.h"
#include "daemon/init/init.h"
#include "daemon/init/message.h"
#include "daemon/init/signals.h"
#include "daemon/keeper/clock.h"
#include "daemon/keeper/tree.h"

namespace procsup::init {
namespace {

constexpr std::int64_t kGrace = 5 * keeper::kSecond;
/// For SIGKILL, which a process that waits for a device does not obey.
constexpr std::int64_t kKillTime = 5 * keeper::kSecond;
/// Between two looks where nothing tells of an end: of processes that others have put into this pid namespace, and
/// between two rounds of SIGKILL.
constexpr std::int64_t kRest = 50 * keeper::kMillisecond;

constexpr int kEveryone = -1;

}  // namespace

void Init::end_the_rest() {
    take_terminal_back();
    if (!anything_left()) return;
    signal_the_rest(SIGTERM);
    signal_the_rest(SIGCONT);
    if (is_the_rest_gone_by(keeper::monotonic_now() + kGrace)) return take_terminal_back();
    Message("what '").operator<<(line_.command[0])
        << "' has left did not end within " << kGrace / keeper::kSecond << " s after SIGTERM: killed";
    if (self_ != 1) kill_the_rest();
    take_terminal_back();
}

/// A shell without job control is in this process group, and reads from the terminal next.
void Init::take_terminal_back() const {
    if (terminal_.is_of(command_) || terminal_.is_free()) {
        terminal_.give_to(static_cast<pid_t>(raw_syscall(SYS_getpgid, 0)));
    }
}

bool Init::anything_left() {
    while (collect() != Found::All) {
    }
    if (self_ != 1) return children_left_;
    // Of process 1 it means everyone else in its namespace, and that is nobody when it says so (kill(2)).
    return raw_syscall(SYS_kill, kEveryone, 0) != -ESRCH;
}

void Init::signal_the_rest(int signal) const {
    if (self_ == 1) {
        raw_syscall(SYS_kill, kEveryone, signal);
    } else {
        keeper::Tree(self_).signal_all(signal);
    }
}

/// Signals that come meanwhile are for what is left.
bool Init::is_the_rest_gone_by(std::int64_t deadline) {
    for (;;) {
        if (!anything_left()) return true;
        const std::int64_t left = deadline - keeper::monotonic_now();
        if (left <= 0) return false;
        const std::int64_t rest = self_ == 1 && left > kRest ? kRest : left;
        const timespec time{rest / keeper::kSecond, rest % keeper::kSecond};
        siginfo_t signal;
        if (take_signal(kAllSignals, signal, &time) && signal.si_signo != SIGCHLD) signal_the_rest(signal.si_signo);
    }
}

void Init::kill_the_rest() {
    const std::int64_t deadline = keeper::monotonic_now() + kKillTime;
    while (anything_left()) {
        if (keeper::monotonic_now() >= deadline) {
            Message("some of it cannot be killed, and is left behind");
            return;
        }
        keeper::Tree(self_).kill();
        siginfo_t signal;
        const timespec time{0, kRest};
        while (anything_left() && take_signal(bit(SIGCHLD), signal, &time)) {
        }
    }
}

}  // namespace procsup::init
