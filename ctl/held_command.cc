#include "ctl/held_command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "common/json.h"
#include "ctl/exit_code.h"
#include "ctl/output.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::array kForwarded{SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};

/// What the command finds of what it has.
void set_environment(const std::string& grant) {
    const auto value = json::parse(grant);
    if (!value) return;
    setenv("PROCSUPD_FENCING_TOKEN", std::to_string(value->int_or("fencingToken", 0)).c_str(), 1);
    const std::string abandoned_by(value->string_or("abandonedBy", ""));
    if (abandoned_by.empty()) {
        unsetenv("PROCSUPD_ABANDONED_BY");
    } else {
        setenv("PROCSUPD_ABANDONED_BY", abandoned_by.c_str(), 1);
    }
}

}  // namespace

Result<void> HeldCommand::begin() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    const Fd far(ends[0]);
    gate_.reset(ends[1]);
    pid_ = fork();
    if (pid_ < 0) return os_failure("start a process", errno);
    if (pid_ == 0) become(far);
    return {};
}

HeldCommand::~HeldCommand() {
    const bool waits_at_the_gate = static_cast<bool>(gate_);
    gate_.reset();
    if (waits_at_the_gate && pid_ > 0) collect();
}

void HeldCommand::become(const Fd& gate) {
    gate_.reset();
    std::string grant;
    char buffer[4096];
    ssize_t size = 0;
    while ((size = read(gate.get(), buffer, sizeof(buffer))) > 0 || (size < 0 && errno == EINTR))
        grant.append(buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (grant.empty()) _exit(kRunFailed);
    set_environment(grant);
    std::vector<std::string> words(words_.begin(), words_.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execvp(arguments.front(), arguments.data());
    const int error = errno;
    Output(ColorChoice::Never, false).error(os_failure("execute " + escaped(words.front()), error).message);
    _exit(error == ENOENT ? kNotFound : kNotExecutable);
}

void HeldCommand::go(const std::string& grant) {
    sigset_t mask;
    sigemptyset(&mask);
    for (const int signal : kForwarded) sigaddset(&mask, signal);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    write_all(gate_.get(), grant);
    gate_.reset();
}

void HeldCommand::wait() {
    sigset_t mask;
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    for (;;) {
        siginfo_t ended{};
        // Not collected yet: how it has ended is for others to see.
        if (waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid == pid_)
            return;
        siginfo_t info{};
        const int signal = sigwaitinfo(&mask, &info);
        // What the terminal sends, it sends to the command too.
        const bool from_terminal = info.si_code == SI_KERNEL && (signal == SIGINT || signal == SIGQUIT);
        if (signal > 0 && signal != SIGCHLD && !from_terminal) kill(pid_, signal);
    }
}

int HeldCommand::collect() {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace procsup::ctl
