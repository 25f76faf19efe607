// Which process of a run is its main one: the first, or another one that it has named (sd_notify(3), MAINPID=).
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/child.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

bool has_ended(const Fd& process) {
    pollfd ready{process.get(), POLLIN, 0};
    return poll(&ready, 1, 0) != 0;
}

/// Whether it is the daemon's to collect, by now.
bool is_child(const Fd& process) {
    siginfo_t info{};
    return waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

/// Signals are for it from now on, and when the first process ends the run goes on with it. Returns why it is not taken.
std::string Processes::name_main(Incarnation incarnation, Run& run, pid_t pid) {
    if (pid == run.main) {
        unname_main(incarnation);
        return {};
    }
    if (run.named && run.named->pid == pid) return {};
    if (contained_.containment->mode() != ContainmentMode::Cgroup)
        return "that can only be where cgroups hold jobs together";
    Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (process) process.reset(fcntl(process.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    // That it lives is looked at last: then the number was its own all the time.
    const bool own = process && run.tree && run.tree->holds(pid) && !by_pid_.contains(pid) && !has_ended(process);
    if (!own) return "that is none of its processes";
    run.named.reset();
    NamedMain named{pid, std::move(process)};
    named.end = loop_.watch_fd(named.handle.get(), EPOLLIN, Priority::Exit,
                               [this, incarnation](std::uint32_t) { unname_main(incarnation); });
    run.named = std::move(named);
    note(incarnation, NoteLaunched{pid});
    return {};
}

void Processes::unname_main(Incarnation incarnation) {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end() || !run->second.named || run->second.named->takes_over) return;
    run->second.named.reset();
    note(incarnation, NoteLaunched{run->second.main});
}

/// Whether the run goes on although its main process is about to be collected.
bool Processes::has_another_main(Run& run) {
    if (!run.named || !is_child(run.named->handle)) return false;
    run.named->takes_over = true;
    return true;
}

void Processes::named_main_takes_over(Incarnation incarnation, Run& run, Duration cpu) {
    accounts_.orphans_collected(incarnation, {1, cpu});
    spawner_.process_ended(incarnation);
    run.child = run.main = run.named->pid;
    by_pid_[run.main] = incarnation;
    run.tree->main_is(run.main);
    run.named.reset();
}

}  // namespace procsup
