#include "daemon/host/processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace procsup {
namespace {

/// Helpers are numbered from here, so that no incarnation of the engine is ever mistaken for one.
constexpr Incarnation kFirstHelper = Incarnation{1} << 62;

/// How often a group is looked at that has members but no leader any more: its last member may be collected by a
/// process that is not ours, of which no signal tells.
constexpr auto kLeftoverCheck = std::chrono::milliseconds(100);

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

int own_oom_score() {
    const Fd file(open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC));
    char text[16] = {};
    return file && read(file.get(), text, sizeof(text) - 1) > 0 ? atoi(text) : 0;
}

bool ends_process(int signal) { return signal != SIGCONT && signal != SIGSTOP && signal != SIGTSTP; }

}  // namespace

Processes::Processes(SdEventLoop& loop)
    : loop_(loop), spawner_(loop, *this), reaper_(loop, *this), next_helper_(kFirstHelper) {}

Result<void> Processes::start(Supervisor& supervisor) {
    supervisor_ = &supervisor;
    protected_ = own_oom_score() < 0;
    return reaper_.start();
}

// ---- requests

void Processes::attach_streams(const std::string& job, StandardFds fds) { attached_[job] = std::move(fds); }

void Processes::forget_streams(const std::string& job) { attached_.erase(job); }

void Processes::spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) {
    launching_[incarnation] = Process{incarnation, id, &spec, {}};
    LaunchOrder order{incarnation, &spec, &name, {}};
    if (const auto found = attached_.find(spec.name); found != attached_.end()) {
        order.fds = std::move(found->second);
        attached_.erase(found);
    }
    spawner_.launch(std::move(order));
}

void Processes::run_helper(JobSpec spec, StandardFds fds, HelperEnded ended) {
    const auto incarnation = next_helper_++;
    auto& helper = helpers_[incarnation];
    helper.spec = std::make_unique<JobSpec>(std::move(spec));
    helper.name = InstanceName{helper.spec->name, helper.spec->name, 0, {}};
    helper.ended = std::move(ended);
    launching_[incarnation] = Process{incarnation, 0, helper.spec.get(), {}};
    spawner_.launch({incarnation, helper.spec.get(), &helper.name, std::move(fds)});
}

void Processes::signal_group(Incarnation incarnation, int signal) {
    if (spawner_.cancel(incarnation)) {
        launching_.erase(incarnation);
        note(incarnation, NoteRefused{SpawnStage::Cancelled, ECANCELED});
        return;
    }
    const auto found = pid_of_.find(incarnation);
    const auto leftover = leftover_groups_.find(incarnation);
    if (found == pid_of_.end() && leftover == leftover_groups_.end()) return;
    const pid_t group = found != pid_of_.end() ? found->second : leftover->second;
    // Before its setsid(2) the child is in the daemon's own group: then the signal is for it alone.
    if (kill(-group, signal) < 0 && errno == ESRCH && found != pid_of_.end()) kill(group, signal);
    if (ends_process(signal) && signal != SIGKILL) kill(-group, SIGCONT);
}

void Processes::signal_main(Incarnation incarnation, int signal) {
    const auto found = pid_of_.find(incarnation);
    if (found != pid_of_.end()) kill(found->second, signal);
}

void Processes::kill_tree(Incarnation incarnation) { signal_group(incarnation, SIGKILL); }

// ---- what the spawner says

void Processes::launched(Incarnation incarnation, pid_t pid) {
    auto node = launching_.extract(incarnation);
    if (!node.empty()) by_pid_[pid] = std::move(node.mapped());
    pid_of_[incarnation] = pid;
    note(incarnation, NoteLaunched{pid});
}

void Processes::launch_refused(Incarnation incarnation, SpawnStage stage, int os_error) {
    launching_.erase(incarnation);
    note(incarnation, NoteRefused{stage, os_error});
}

void Processes::executed(Incarnation incarnation) {
    const auto pid = pid_of_.find(incarnation);
    if (pid == pid_of_.end()) return;
    const auto& process = by_pid_.at(pid->second);
    // The daemon's own protection from the OOM killer is not for its jobs.
    const auto score = process.spec->oom_score_adjust ? process.spec->oom_score_adjust
                       : protected_                   ? std::optional<int>(0)
                                                      : std::nullopt;
    if (score) set_oom_score(pid->second, *process.spec, *score);
    note(incarnation, NoteExecuted{});
}

void Processes::failed_before_exec(Incarnation incarnation, SpawnStage stage, int os_error) {
    // Told to the engine when the process is collected: until then there is one.
    const auto pid = pid_of_.find(incarnation);
    if (pid != pid_of_.end()) by_pid_.at(pid->second).failure = ChildFailure{stage, os_error};
}

/// Done from outside and after exec: before, the child shares the daemon's memory, and with it the score.
void Processes::set_oom_score(pid_t pid, const JobSpec& spec, int score) {
    const auto path = fmt::format("/proc/{}/oom_score_adj", pid);
    const Fd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const auto text = std::to_string(score);
    if (file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return;
    if (on_shortfall_) {
        on_shortfall_(
            spec, fmt::format("cannot set oom_score_adjust to {}: {}; it runs without", text, strerrordesc_np(errno)));
    }
}

// ---- what the reaper says

void Processes::about_to_collect(pid_t pid) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) return;
    if (supervisor_->kills_remainder(found->second.incarnation)) kill(-pid, SIGKILL);
}

void Processes::collected(pid_t pid, ExitStatus status) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) {
        ++orphans_;
        if (!leftover_groups_.empty()) look_at_leftover_groups();
        return;
    }
    const auto incarnation = found->second.incarnation;
    spawner_.process_ended(incarnation);
    const auto failure = found->second.failure;
    by_pid_.erase(pid);
    pid_of_.erase(incarnation);
    if (failure) {
        note(incarnation, NoteRefused{failure->stage, failure->os_error});
        return;
    }
    // Zombies of the group count: they are collected in a moment, and told of then.
    const bool tree_empty = kill(-pid, 0) < 0 && errno == ESRCH;
    note(incarnation, NoteExited{status, tree_empty});
    if (!tree_empty) group_left(incarnation, pid);
}

void Processes::group_left(Incarnation incarnation, pid_t group) {
    leftover_groups_[incarnation] = group;
    look_again_later();
}

void Processes::look_again_later() {
    if (leftover_timer_ || leftover_groups_.empty()) return;
    leftover_timer_ = loop_.call_at(loop_.now() + kLeftoverCheck, [this] {
        leftover_timer_.reset();
        look_at_leftover_groups();
    });
}

void Processes::look_at_leftover_groups() {
    for (auto group = leftover_groups_.begin(); group != leftover_groups_.end();) {
        if (kill(-group->second, 0) == 0 || errno != ESRCH) {
            ++group;
            continue;
        }
        note(group->first, NoteTreeEmpty{});
        group = leftover_groups_.erase(group);
    }
    look_again_later();
}

// ---- to the engine

void Processes::deliver() {
    while (!notes_.empty()) {
        const auto now = loop_.now();
        for (const auto& noted : std::exchange(notes_, {})) hand_over(noted, now);
    }
    spawner_.settle();
}

void Processes::hand_over(const Note& noted, TimePoint now) {
    const auto incarnation = noted.incarnation;
    if (incarnation >= kFirstHelper) {
        helper_noted(noted);
    } else if (const auto* launch = std::get_if<NoteLaunched>(&noted.what)) {
        supervisor_->spawned(incarnation, launch->pid, now);
    } else if (const auto* refusal = std::get_if<NoteRefused>(&noted.what)) {
        supervisor_->not_started(incarnation, refusal->stage, refusal->os_error, now);
    } else if (std::holds_alternative<NoteExecuted>(noted.what)) {
        supervisor_->execed(incarnation, now);
    } else if (const auto* exit = std::get_if<NoteExited>(&noted.what)) {
        supervisor_->exited(incarnation, exit->status, exit->tree_empty, now);
    } else {
        supervisor_->tree_empty(incarnation, now);
    }
}

void Processes::helper_noted(const Note& noted) {
    const auto found = helpers_.find(noted.incarnation);
    if (found == helpers_.end()) return;
    const auto* exit = std::get_if<NoteExited>(&noted.what);
    const auto* refusal = std::get_if<NoteRefused>(&noted.what);
    if (exit == nullptr && refusal == nullptr) return;
    const Helper helper = std::move(found->second);
    helpers_.erase(found);
    if (exit != nullptr) {
        helper.ended(exit->status);
    } else {
        helper.ended(os_failure(describe(refusal->stage, *helper.spec), refusal->os_error));
    }
}

std::optional<Processes::Owner> Processes::who_is(pid_t pid) const {
    const pid_t self = getpid();
    constexpr int kDeepest = 256;  // a chain of parents that changes while it is followed must end
    const pid_t asked = pid;
    for (int depth = 0; depth < kDeepest && pid > 1 && pid != self; ++depth) {
        if (const auto found = by_pid_.find(pid); found != by_pid_.end() && found->second.id != 0) {
            return Owner{found->second.id, pid == asked};
        }
        const auto stat = read_stat(pid);
        if (!stat) return std::nullopt;
        // A job's processes share its session unless they leave it on purpose.
        if (const auto leader = by_pid_.find(stat->session); leader != by_pid_.end() && leader->second.id != 0) {
            return Owner{leader->second.id, false};
        }
        pid = stat->parent;
    }
    return std::nullopt;
}

}  // namespace procsup
