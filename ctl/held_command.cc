#include "ctl/held_command.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "ctl/exit_code.h"
#include "ctl/output.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::array kForwarded{SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT};

int execute(std::span<const std::string_view> command) {
    std::vector<std::string> words(command.begin(), command.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp(arguments.front(), arguments.data());
    const int error = errno;
    Output(ColorChoice::Never, false).error(os_failure("execute " + escaped(words.front()), error).message);
    return error == ENOENT ? kNotFound : kNotExecutable;
}

/// What procsupctl does with signals while it has a child, and did before.
class Signals {
public:
    Signals() {
        sigemptyset(&taken_);
        for (const int signal : kForwarded) sigaddset(&taken_, signal);
        sigaddset(&taken_, SIGCHLD);
        // Who ignores it gets no status of a child (waitpid(2)).
        handles_children_ = signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_BLOCK, &taken_, &before_);
    }
    void restore() const {
        signal(SIGCHLD, handles_children_);
        sigprocmask(SIG_SETMASK, &before_, nullptr);
    }
    /// The next that somebody has sent to procsupctl; 0: a child may have ended.
    int next() const {
        siginfo_t info{};
        const int signal = sigwaitinfo(&taken_, &info);
        // What the terminal sends, it sends to both.
        return signal < 0 || signal == SIGCHLD || info.si_code == SI_KERNEL ? 0 : signal;
    }

private:
    sigset_t taken_{}, before_{};
    sighandler_t handles_children_ = SIG_DFL;
};

[[noreturn]] void become(std::span<const std::string_view> command, const std::function<int()>& acquire,
                         const Signals& signals, pid_t procsupctl) {
    signals.restore();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != procsupctl) _exit(kRunFailed);
    if (const int code = acquire(); code != 0) _exit(code);
    prctl(PR_SET_PDEATHSIG, 0);
    _exit(execute(command));
}

/// Until it has ended; it is not collected yet.
void wait_for(pid_t child, const Signals& signals) {
    for (;;) {
        siginfo_t ended{};
        const int failed = waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT);
        if (failed < 0 || ended.si_pid == child) return;
        if (const int signal = signals.next(); signal != 0) kill(child, signal);
    }
}

}  // namespace

Result<int> run_holding(std::span<const std::string_view> command, const std::function<int()>& acquire,
                        const std::function<void()>& ended) {
    const auto procsupctl = getpid();
    const Signals signals;
    const auto child = fork();
    if (child < 0) return os_failure("start a process", errno);
    if (child == 0) become(command, acquire, signals, procsupctl);
    wait_for(child, signals);
    ended();
    int status = 0;
    if (waitpid(child, &status, 0) != child) return os_failure("learn how the command has ended", errno);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace procsup::ctl
