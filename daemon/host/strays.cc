// Processes that no run holds any more.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "daemon/host/processes.h"

namespace procsup {
namespace {

/// Whether the process is ours to collect.
bool is_child(pid_t pid) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

/// Strays are whatever a lost keeper held.
class Processes::StrayTree final : public Tree {
public:
    explicit StrayTree(Processes& processes) : processes_(processes) {}
    void began(pid_t) override {}
    void child_ended(bool) override {}
    void signal_main(int) override {}
    void signal_all(int) override {}
    void pause(bool) override {}
    void kill() override { processes_.kill_strays(); }
    bool was_killed() const override { return true; }
    bool is_empty() override { return !processes_.kill_strays(); }
    void await_empty() override {}

private:
    Processes& processes_;
};

bool Processes::kill_strays() {
    // Of this thread, which is the only one (proc_pid_task(5)); a child cannot be another process before it is collected.
    std::ifstream children("/proc/thread-self/children");
    bool any = false;
    for (pid_t pid = 0; children >> pid;) {
        // What has no exit signal is not for the reaper.
        if (by_pid_.contains(pid) || !is_child(pid)) continue;
        kill(pid, SIGKILL);
        any = true;
    }
    return any;
}

bool Processes::end_strays() {
    for (const auto& left : abandoned_) left.tree->kill();
    const auto lasts = [&](const auto& child) { return !runs_.contains(child.second); };
    const bool keepers = std::any_of(by_pid_.begin(), by_pid_.end(), lasts);
    return kill_strays() || keepers || !abandoned_.empty();
}

/// A keeper was killed, or could not be executed: what it held are the daemon's own children now, the main process among
/// them. Nobody knows of the others any more whose they are, so all that belong to no run are ended.
void Processes::keeper_lost(Incarnation incarnation, Run& run) {
    run.kept = false;
    run.named.reset();
    run.tree = std::make_unique<StrayTree>(*this);
    look_when_all_is_collected();
    run.tree->kill();
    if (on_shortfall_ && !run.failure) on_shortfall_(*run.spec, "its keeper was killed: the run is ended with it");
    if (leftovers_.contains(incarnation)) return;
    if (run.main == 0) run.main = spawner_.process_of(incarnation);
    if (run.main != 0 && is_child(run.main)) {
        by_pid_[run.main] = incarnation;
        kill(run.main, SIGKILL);
        return;
    }
    if (run.main != 0) {
        if (on_shortfall_)
            on_shortfall_(*run.spec, "how its main process ended is not known: the keeper had collected it");
        return main_ended(incarnation, ExitStatus::killed(SIGKILL), Duration::zero(), false);
    }
    if (!run.failure) run.failure = NoteRefused{SpawnStage::Keeper, ESRCH};
    main_ended(incarnation, ExitStatus::killed(SIGKILL), Duration::zero(), true);
}

}  // namespace procsup
