// Whose a process is.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "daemon/host/processes.h"

namespace procsup {
namespace {

struct ProcStat {
    pid_t parent = 0;
    pid_t session = 0;
};

/// Fields 4 and 6 of /proc/PID/stat (proc(5)), behind the name, which may contain anything but ends with the last ')'.
std::optional<ProcStat> read_stat(pid_t pid) {
    const Fd file(open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
    char text[1024];
    const ssize_t size = file ? read(file.get(), text, sizeof(text) - 1) : -1;
    if (size <= 0) return std::nullopt;
    text[size] = '\0';
    const char* rest = strrchr(text, ')');
    ProcStat stat;
    int group = 0;
    if (rest == nullptr || sscanf(rest + 1, " %*c %d %d %d", &stat.parent, &group, &stat.session) != 3) {
        return std::nullopt;
    }
    return stat;
}

}  // namespace

std::vector<pid_t> Processes::own_children() const {
    std::vector<pid_t> pids;
    for (const auto& [pid, incarnation] : by_pid_) pids.push_back(pid);
    return pids;
}

std::vector<pid_t> Processes::children_for(InstanceId id) const {
    std::vector<pid_t> pids;
    for (const auto& [incarnation, run] : runs_) {
        if (run.id == id && run.child != 0) pids.push_back(run.child);
    }
    for (const auto& left : abandoned_) {
        if (left.id == id) pids.push_back(left.child);
    }
    return pids;
}

std::vector<pid_t> Processes::first_processes_of(InstanceId id) const {
    std::vector<pid_t> pids;
    for (const auto& [incarnation, run] : runs_) {
        if (run.id == id && run.main != 0) pids.push_back(run.main);
    }
    return pids;
}

TreeUsage Processes::usage_of(Incarnation incarnation, bool few) const {
    const auto run = runs_.find(incarnation);
    return run == runs_.end() || !run->second.tree ? TreeUsage{} : run->second.tree->usage(few);
}

std::uint64_t Processes::droppable_memory_of(Incarnation incarnation) const {
    const auto run = runs_.find(incarnation);
    return run == runs_.end() || !run->second.tree ? 0 : run->second.tree->droppable_memory();
}

std::optional<Processes::Owner> Processes::who_is(pid_t pid) const {
    if (const auto own = by_pid_.find(pid); own != by_pid_.end()) return owner(own->second, pid);
    if (contained_.containment->mode() != ContainmentMode::Cgroup) return by_family(pid);
    const auto name = contained_.containment->instance_of(pid);
    if (!name) return std::nullopt;
    // One of several may be called as their job.
    for (const auto id : supervisor_->select(*name)) {
        if (supervisor_->find(id)->name().instance == *name) return Owner{id, false};
    }
    return std::nullopt;
}

std::optional<Processes::Owner> Processes::owner(Incarnation incarnation, pid_t pid) const {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end() || run->second.id == 0) return std::nullopt;
    return Owner{run->second.id, run->second.main == pid && !run->second.side_spec};
}

/// The nearest of its parents that is a keeper, under which all of a run's processes are; or, without keepers, that is a main
/// process or the leader of its session.
std::optional<Processes::Owner> Processes::by_family(pid_t pid) const {
    const pid_t self = getpid(), asked = pid;
    const bool kept = contained_.containment->mode() == ContainmentMode::Keeper;
    constexpr int kDeepest = 256;  // a chain of parents that changes while it is followed must end
    for (int depth = 0; depth < kDeepest && pid > 1 && pid != self; ++depth) {
        if (const auto found = by_pid_.find(pid); found != by_pid_.end()) return owner(found->second, asked);
        const auto stat = read_stat(pid);
        if (!stat) return std::nullopt;
        // A job's processes share its session unless they leave it on purpose.
        if (const auto leader = by_pid_.find(stat->session); !kept && leader != by_pid_.end()) {
            return owner(leader->second, asked);
        }
        pid = stat->parent;
    }
    return std::nullopt;
}

}  // namespace procsup
