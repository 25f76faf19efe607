#include "daemon/init/init.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <cerrno>
#include <climits>

#include "common/raw_syscall.h"
#include "daemon/init/message.h"
#include "daemon/init/signals.h"
#include "daemon/keeper/clock.h"

namespace procsup::init {
namespace {

constexpr int kFirstRealtime = 32;  // as the kernel counts

bool is_pending(int signal) {
    std::uint64_t pending = 0;
    raw_syscall(SYS_rt_sigpending, &pending, sizeof(pending));
    return (pending & bit(signal)) != 0;
}

}  // namespace

Init::Init(const CommandLine& line, std::uint64_t mask)
    : line_(line), mask_(mask), self_(static_cast<pid_t>(raw_syscall(SYS_getpid))) {}

int Init::run(char** envp) {
    if (!watch_parent()) return kExitOwnFailure;
    raw_syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    terminal_.open();
    if (!start_command(envp)) return kExitOwnFailure;
    // SIGCHLD may have come before it was blocked, of children that were there before procsup-init was executed.
    bool looking = true;
    int named = 0;
    while (command_runs_) {
        // Signals have their turn in a storm of processes that end.
        if (looking) {
            const auto found = collect();
            looking = found == Found::More;
            if (found == Found::Costly) named = 1;
        }
        if (!command_runs_) break;
        // SIGCHLD names one that has ended, and perhaps there were more (signal(7)). To look for them takes as long as there are
        // others that live: that is done when none has come for a while, or many have.
        constexpr int kMany = 256;
        const timespec at_once{}, a_while{0, keeper::kMillisecond};
        const auto taken = take_and_act(looking ? &at_once : named > 0 ? &a_while : nullptr);
        if (taken == Taken::Child) ++named;
        if (named >= kMany || (taken == Taken::Nothing && named > 0)) {
            looking = true;
            named = 0;
        }
    }
    end_the_rest();
    return exit_code_;
}

bool Init::start_command(char** envp) {
    // Who ignores SIGCHLD has no zombies to ask (waitid(2)).
    const bool ignores_sigchld = set_disposition(SIGCHLD, SIG_DFL) == SIG_IGN;
    alignas(16) static char stack[16 * 1024];
    static Command command;
    command = {line_.command, envp, &terminal_, mask_, ignores_sigchld, terminal_.is_ours(), self_};
    const long pid = command.start(stack, sizeof(stack));
    if (pid < 0) {
        Message("cannot make a process for '").operator<<(line_.command[0]).operator<<("'").cause(-pid);
        return false;
    }
    command_ = static_cast<pid_t>(pid);
    // Whoever is first: a signal for the group may come at once.
    raw_syscall(SYS_setpgid, command_, command_);
    keep_no_other_fds();
    leave_room_in_queue();
    raw_syscall(SYS_chdir, "/");
    return true;
}

/// What the caller gave belongs to the command: a pipe is to end, and a file system to be free, when the command lets go of it.
void Init::keep_no_other_fds() const {
    constexpr int kStandardError = 2;
    const int kept[] = {kStandardError, terminal_.fd(), parent_, signals_};
    for (unsigned first = 0;;) {
        unsigned next = UINT_MAX;
        for (const int fd : kept) {
            if (fd >= 0 && static_cast<unsigned>(fd) >= first && static_cast<unsigned>(fd) < next) {
                next = static_cast<unsigned>(fd);
            }
        }
        const bool last = next == UINT_MAX;
        if (last || next > first) raw_syscall(SYS_close_range, first, last ? UINT_MAX : next - 1, 0);
        if (last) return;
        first = next + 1;
    }
}

/// Queued signals are counted by user, over all processes, and the limit that counts is that of the process which a signal is for
/// (signal(7), RLIMIT_SIGPENDING). With the same limit what waits here could fill the place of what is to be handed on.
void Init::leave_room_in_queue() const {
    rlimit limit{};
    raw_syscall(SYS_prlimit64, 0, RLIMIT_SIGPENDING, nullptr, &limit);
    if (limit.rlim_cur == RLIM_INFINITY) return;
    limit.rlim_cur -= (limit.rlim_cur + 7) / 8;
    raw_syscall(SYS_prlimit64, 0, RLIMIT_SIGPENDING, &limit, nullptr);
}

/// By pidfd rather than PR_SET_PDEATHSIG alone: that is sent when the *thread* ends which made this process. A parent in
/// another pid namespace has no number here, and is left to it.
bool Init::watch_parent() {
    if (line_.on_parent_death == 0) return true;
    const auto parent = static_cast<pid_t>(raw_syscall(SYS_getppid));
    if (parent == 0) {
        raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, line_.on_parent_death, 0, 0, 0);
        return true;
    }
    parent_ = static_cast<int>(raw_syscall(SYS_pidfd_open, parent, 0));
    signals_ = static_cast<int>(raw_syscall(SYS_signalfd4, -1, &kAllSignals, sizeof(kAllSignals), SFD_CLOEXEC));
    // A number in use again is not the parent's.
    if (raw_syscall(SYS_getppid) != parent) parent_gone_ = true;
    if (signals_ >= 0 && (parent_ >= 0 || parent_gone_)) return true;
    Message("cannot watch the parent process, as --pdeath asks").cause(signals_ < 0 ? -signals_ : -parent_);
    return false;
}

/// One signal, or the end of the parent, for which it waits as long as `timeout` says: nullptr is for ever.
Init::Taken Init::take_and_act(const timespec* timeout) {
    siginfo_t signal;
    const timespec now{};
    if (parent_ >= 0 && !parent_gone_) {
        pollfd fds[] = {{parent_, POLLIN, 0}, {signals_, POLLIN, 0}};
        raw_syscall(SYS_ppoll, fds, 2, timeout, nullptr, 0);
        parent_gone_ = fds[0].revents != 0;
        timeout = &now;
    }
    if (parent_gone_ && !parent_death_told_) {
        tell_parent_death();
        return Taken::Other;
    }
    if (!take_signal(kAllSignals, signal, timeout)) return Taken::Nothing;
    if (signal.si_signo == SIGCHLD) {
        collect_one(P_PID, signal.si_pid);
        return Taken::Child;
    }
    on_signal(signal);
    return Taken::Other;
}

void Init::tell_parent_death() {
    parent_death_told_ = true;
    siginfo_t signal{};
    signal.si_signo = line_.on_parent_death;
    on_signal(signal);
}

void Init::on_signal(const siginfo_t& signal) {
    if (signal.si_signo == SIGCHLD) return;
    if (signal.si_signo == SIGCONT && stopped_) return go_on();
    hand_on(signal);
}

/// Collects a number of those that have ended.
Init::Found Init::collect() {
    constexpr int kMost = 128;
    constexpr std::int64_t kLong = keeper::kMillisecond / 2;
    const std::int64_t begun = keeper::monotonic_now();
    for (int i = 0; i < kMost; ++i) {
        const long result = collect_one(P_ALL, 0);
        children_left_ = result >= 0;
        if (result <= 0) return Found::All;
        if (keeper::monotonic_now() - begun > kLong) return Found::Costly;
    }
    return Found::More;
}

/// The pid of one that has ended or stopped; 0 when none has, -errno when there is none.
long Init::collect_one(int of, pid_t pid) {
    siginfo_t info;
    info.si_pid = 0;
    // __WALL: a process that was inherited may have been made with another signal than SIGCHLD.
    const long result = raw_syscall(SYS_waitid, of, pid, &info, WEXITED | WSTOPPED | WNOHANG | __WALL, nullptr);
    if (result < 0) return result;
    if (info.si_pid != 0 && info.si_pid == command_ && command_runs_) {
        if (info.si_code == CLD_STOPPED) {
            stop_too(info.si_status);
        } else {
            command_runs_ = false;
            exit_code_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
        }
    }
    return info.si_pid;
}

/// The terminal has stopped the command, or the command itself has: the shell above is to see its job stopped, which is this
/// process group. Where there is no shell to continue it, the kernel does not stop this group (setpgid(2), orphaned process
/// groups; process 1 is never stopped), and the command goes on as it would without procsup-init.
void Init::stop_too(int signal) {
    stopped_ = true;
    // A stop signal takes away a SIGCONT that waits (signal(7)): who has sent that knew of the stop before procsup-init did.
    if (!terminal_.is_there() || is_pending(SIGCONT)) return;
    const bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
    // The shell gave it to this group only after the command had it; or who took it along has gone.
    if (wants_terminal && terminal_.is_free()) return go_on();
    const int own = wants_terminal ? signal : SIGTSTP;
    const std::uint64_t all_but_own = ~bit(own);
    const auto disposition = set_disposition(own, SIG_DFL);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_but_own, nullptr, sizeof(all_but_own));
    raw_syscall(SYS_kill, 0, own);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, nullptr, sizeof(kAllSignals));
    set_disposition(own, disposition);
    // Who has continued it did so with SIGCONT, which is pending.
    if (signal == SIGTSTP && !is_pending(SIGCONT)) go_on();
}

/// All of its process group was stopped, by the terminal or by itself.
void Init::go_on() {
    stopped_ = false;
    if (terminal_.is_free()) terminal_.give_to(command_);
    raw_syscall(SYS_kill, -command_, SIGCONT);
}

/// A real-time signal keeps its value and its sender, and is not lost in a full queue, as kill(2) would lose it (signal(7)):
/// no others of them are taken meanwhile, so that their senders are told. The rest need no room, and do not wait for it. There
/// is no event for room in a queue.
void Init::hand_on(const siginfo_t& signal) {
    constexpr std::int64_t kLongestRest = 16 * keeper::kMillisecond;
    std::int64_t rest = keeper::kMillisecond;
    long result = 0;
    while (command_runs_ && (result = send(signal)) == -EAGAIN) {
        siginfo_t other;
        const timespec time{0, rest};
        if (take_signal(bit(kFirstRealtime) - 1, other, &time)) on_signal(other);
        while (collect() == Found::More) {
        }
        rest = rest * 2 < kLongestRest ? rest * 2 : kLongestRest;
    }
    if (result != -EPERM || refusal_told_) return;
    refusal_told_ = true;
    Message("cannot send signal ").operator<<(signal.si_signo).operator<<(" to '").operator<<(line_.command[0])
        << "', which runs as another user: no more is said about it";
}

long Init::send(const siginfo_t& signal) const {
    const int number = signal.si_signo;
    if (line_.to_group) return raw_syscall(SYS_kill, -command_, number);
    if (number < kFirstRealtime) return raw_syscall(SYS_kill, command_, number);
    siginfo_t copy = signal;
    copy.si_code = SI_QUEUE;
    return raw_syscall(SYS_rt_sigqueueinfo, command_, number, &copy);
}

}  // namespace procsup::init
