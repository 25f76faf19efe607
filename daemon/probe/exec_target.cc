#include "daemon/probe/exec_target.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <climits>
#include <cstddef>

#include "common/raw_syscall.h"
#include "daemon/init/signals.h"
#include "daemon/keeper/clock.h"
#include "daemon/keeper/tree.h"
#include "daemon/probe/execvp.h"

extern "C" long procsup_clone3(void* args, std::size_t size, int (*fn)(void*), void* arg);

namespace procsup::probe {
namespace {

/// For SIGKILL, which a process that waits for a device does not obey.
constexpr std::int64_t kKillTime = keeper::kSecond;
constexpr std::int64_t kShortestRest = keeper::kMillisecond, kLongestRest = 100 * keeper::kMillisecond;
constexpr int kNotExecutable = 126, kNotFound = 127;

/// What passes, whatever the command is.
bool may_pass(long errno_value) {
    return errno_value == EAGAIN || errno_value == ENOMEM || errno_value == ENFILE || errno_value == EMFILE ||
           errno_value == ETXTBSY || errno_value == EIO;
}

}  // namespace

/// What the process of the command has until it executes: its stack, and memory that is shared even if the rest is a
/// copy. Mapped for the time of the command, so that a program that waits for the next attempt does not hold it.
struct ExecTarget::Launch {
    long error;
    char** argv;
    char** envp;
    std::uint64_t mask;
    pid_t parent;
    int output;
    bool ignores_sigchld;
    alignas(16) char stack[16 * 1024];

    long start();
    static int enter(void* launch) { return static_cast<Launch*>(launch)->execute(); }
    int execute();
};

int ExecTarget::Launch::execute() {
    constexpr unsigned kBehindStandardFds = 3;
    raw_syscall(SYS_setsid);
    // SIGKILL cannot be handed on, so it takes the command along.
    raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (raw_syscall(SYS_getppid) != parent) raw_syscall(SYS_kill, raw_syscall(SYS_getpid), SIGKILL);
    // A stream that the caller lacks is no stream of the command's; its number may be that of a descriptor of this program.
    constexpr int kStreams[] = {STDOUT_FILENO, STDERR_FILENO};
    for (const int stream : kStreams) {
        if (raw_syscall(SYS_fcntl, stream, F_GETFD) == 0) raw_syscall(SYS_dup3, output, stream, 0);
    }
    raw_syscall(SYS_close_range, kBehindStandardFds, UINT_MAX, 0);
    if (ignores_sigchld) init::set_disposition(SIGCHLD, SIG_IGN);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
    error = -probe::execute(argv, envp);
    return kNotFound;
}

void ExecTarget::prepare(char** command, std::uint64_t mask, char** envp) {
    argv_ = command;
    name_ = command[0];
    envp_ = envp;
    mask_ = mask;
    self_ = static_cast<pid_t>(raw_syscall(SYS_getpid));
    raw_syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    // Who ignores SIGCHLD has no zombies to ask (waitid(2)).
    ignores_sigchld_ = init::set_disposition(SIGCHLD, SIG_DFL) == SIG_IGN;
}

/// The pid, or -errno.
long ExecTarget::Launch::start() {
    clone_args args{};
    args.flags = CLONE_VM;
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uint64_t>(stack);
    args.stack_size = sizeof(stack);
    long pid = procsup_clone3(&args, sizeof(args), enter, this);
    // Container run-times of the past refuse clone3 as if the kernel lacked it.
    if (pid == -ENOSYS || pid == -EPERM) {
#if defined(__x86_64__)
        pid = raw_syscall(SYS_fork);
#else
        pid = raw_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
        if (pid == 0) raw_syscall(SYS_exit_group, execute());
    }
    return pid;
}

bool ExecTarget::start(Attempt& attempt) {
    long result = output_.open();
    const bool has_pipe = result == 0;
    if (has_pipe) {
        result =
            raw_syscall(SYS_mmap, nullptr, sizeof(Launch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    if (result > 0) {
        launch_ = std::bit_cast<Launch*>(result);
        launch_->argv = argv_;
        launch_->envp = envp_;
        launch_->mask = mask_;
        launch_->parent = self_;
        launch_->output = output_.inlet();
        launch_->ignores_sigchld = ignores_sigchld_;
        argv_[0] = name_;  // as it was before an attempt that had a script of the shell
        result = launch_->start();
        if (result < 0) raw_syscall(SYS_munmap, launch_, sizeof(Launch));
    }
    output_.let_go_of_inlet();
    if (result > 0) {
        command_ = static_cast<pid_t>(result);
        children_left_ = true;
        return true;
    }
    launch_ = nullptr;
    output_.close();
    launch_error_ = -result;
    (attempt.reason << (has_pipe ? "cannot make a process for '" : "cannot make a pipe for '")).name(name_) << "'";
    attempt.reason.cause(launch_error_);
    return false;
}

void ExecTarget::on_end(int code, int status) {
    // As long as it is not collected, its number is the group's.
    raw_syscall(SYS_kill, -command_, SIGKILL);
    command_ = 0;
    code_ = code;
    status_ = status;
    launch_error_ = launch_->error;
    raw_syscall(SYS_munmap, launch_, sizeof(Launch));
    launch_ = nullptr;
}

/// Collects a number of those that have ended: who makes more of them all the time must not hold up the rest.
void ExecTarget::collect() {
    constexpr int kMost = 128;
    for (int i = 0; i < kMost; ++i) {
        siginfo_t info;
        info.si_pid = 0;
        const long found = raw_syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, nullptr);
        children_left_ = found >= 0;
        if (found < 0 || info.si_pid == 0) return;
        if (info.si_pid == command_) on_end(info.si_code, info.si_status);
        raw_syscall(SYS_waitid, P_PID, info.si_pid, &info, WEXITED | WNOHANG | __WALL, nullptr);
    }
}

/// Whether nothing is left of what was started. In rounds, as those who end leave their children to this process.
bool ExecTarget::end_all(Sleeper& sleeper, std::int64_t until) {
    std::int64_t rest = kShortestRest;
    for (;;) {
        collect();
        if (!children_left_) return true;
        const std::int64_t now = keeper::monotonic_now();
        if (now >= until) return false;
        // Also where there is no /proc to find anything in.
        if (command_ != 0) {
            raw_syscall(SYS_kill, -command_, SIGKILL);
            raw_syscall(SYS_kill, command_, SIGKILL);
        }
        keeper::Tree(self_).kill();
        const std::int64_t next = now + rest < until ? now + rest : until;
        sleeper.sleep(next);
        rest = rest * 2 < kLongestRest ? rest * 2 : kLongestRest;
    }
}

void ExecTarget::await(Attempt& attempt) {
    while (command_ != 0) {
        const auto woke = attempt.sleeper.sleep(attempt.deadline, output_.fd(), POLLIN);
        attempt.cut_short = woke == Sleeper::Woke::ToldToEnd;
        if (woke == Sleeper::Woke::Ready) {
            output_.take();
            // Who writes all the time is ready all the time.
            if (keeper::monotonic_now() < attempt.deadline) continue;
        }
        collect();
        if (woke != Sleeper::Woke::Child) return;
    }
}

Verdict ExecTarget::judge_launch(Attempt& attempt, long errno_value) const {
    attempt.exit_code = errno_value == ENOENT ? kNotFound : kNotExecutable;
    (attempt.reason << "cannot execute '").name(name_) << "'";
    attempt.reason.cause(errno_value);
    return may_pass(errno_value) ? Verdict::NotReady : Verdict::Never;
}

Verdict ExecTarget::judge(Attempt& attempt) {
    if (command_ == 0 && launch_error_ != 0) return judge_launch(attempt, launch_error_);
    if (command_ == 0 && code_ == CLD_EXITED && status_ == 0) return Verdict::Ready;
    (attempt.reason << "'").name(name_) << "' ";
    if (command_ != 0) {
        attempt.reason << "did not end";
        attempt.add_patience();
    } else if (code_ == CLD_EXITED) {
        attempt.reason << "ended with exit code " << status_;
    } else {
        (attempt.reason << "was killed by ").signal(status_);
    }
    if (output_.has_line()) attempt.reason.output(output_.line());
    return Verdict::NotReady;
}

Verdict ExecTarget::attempt(Attempt& attempt) {
    if (!end_all(attempt.sleeper, attempt.deadline)) {
        (attempt.reason << "what '").name(name_) << "' has left cannot be killed";
        return Verdict::NotReady;
    }
    if (!start(attempt)) return may_pass(launch_error_) ? Verdict::NotReady : Verdict::Never;
    await(attempt);
    if (command_ == 0) attempt.cut_short = false;
    output_.take_rest();
    const Verdict verdict = judge(attempt);
    output_.close();
    const std::int64_t kill_until = keeper::monotonic_now() + kKillTime;
    end_all(attempt.sleeper,
            verdict == Verdict::Ready && attempt.deadline < kill_until ? attempt.deadline : kill_until);
    return verdict;
}

}  // namespace procsup::probe
