// Which process of a run is its main one: the first, or another one that it has named (sd_notify(3), MAINPID=).
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/host/child.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

bool has_ended(const Fd& process) {
    pollfd ready{process.get(), POLLIN, 0};
    return poll(&ready, 1, 0) != 0;
}

/// Whether it has not been collected: its number is its own.
bool exists(const Fd& process) {
    return syscall(SYS_pidfd_send_signal, process.get(), 0, nullptr, 0) == 0 || errno != ESRCH;
}

/// Whether a process that has not been collected has ended.
bool has_ended(pid_t pid) {
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    return process && has_ended(process);
}

/// Whether it is the daemon's to collect, by now.
bool is_child(const Fd& process) {
    siginfo_t info{};
    return waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

/// Signals are for it from now on, and when the first process ends the run goes on with it. Returns why it is not taken.
std::string Processes::name_main(Incarnation incarnation, Run& run, pid_t pid) {
    // It can have spoken before anybody has told of it.
    if (run.main == 0) run.main = spawner_.process_of(incarnation);
    if (pid == run.main) {
        unname_main(incarnation);
        return {};
    }
    if (run.named && run.named->pid == pid && !has_ended(run.named->handle)) return {};
    if (contained_.containment->mode() == ContainmentMode::Group)
        return "that can only be where cgroups or keepers hold jobs together";
    Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (process) process.reset(fcntl(process.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    // That it exists is looked at last: then the number was its own all the time.
    const bool own = process && run.tree && run.tree->holds(pid) && !by_pid_.contains(pid) && exists(process);
    if (!own) return "that is none of its processes";
    // Behind the first one it may have, before anybody has looked: then its end is that of the run.
    if (has_ended(process) && !has_ended(run.main)) return "that has ended";
    run.named.reset();
    NamedMain named{pid, std::move(process)};
    named.end = loop_.watch_fd(named.handle.get(), EPOLLIN, Priority::Exit,
                               [this, incarnation](std::uint32_t) { named_main_ended(incarnation); });
    run.named = std::move(named);
    note(incarnation, NoteLaunched{pid});
    return {};
}

void Processes::named_main_ended(Incarnation incarnation) {
    Run& run = runs_.at(incarnation);
    // With the first one ended and not collected, which of the two did so first is not known: the end of this one is that of
    // the run, if it can be had.
    if (!has_ended(run.main)) return unname_main(incarnation);
    run.named->end.reset();
}

void Processes::unname_main(Incarnation incarnation) {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end() || !run->second.named || run->second.named->takes_over) return;
    run->second.named.reset();
    note(incarnation, NoteLaunched{run->second.main});
}

/// Whether the run goes on although its main process is about to be collected.
bool Processes::has_another_main(Run& run) {
    if (run.kept || !run.named || !is_child(run.named->handle)) return false;
    run.named->takes_over = true;
    return true;
}

void Processes::named_main_takes_over(Incarnation incarnation, Run& run, Duration cpu) {
    accounts_.former_mains_collected(incarnation, {1, cpu});
    spawner_.process_ended(incarnation);
    run.child = run.main = run.named->pid;
    by_pid_[run.main] = incarnation;
    run.tree->main_is(run.main);
    run.named.reset();
}

/// The keeper looks itself whether it is its child.
NextMain Processes::next_main(Incarnation incarnation) {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end() || !run->second.named) return {};
    auto& named = *run->second.named;
    // From here on its end is the keeper's to tell.
    named.takes_over = true;
    return {named.pid, named.handle.get()};
}

void Processes::goes_on(Incarnation incarnation, pid_t main) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return;
    Run& run = found->second;
    spawner_.process_ended(incarnation);
    run.main = main;
    if (run.named && run.named->pid == main) run.named.reset();
}

}  // namespace procsup
