#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"
#include "conf/expand.h"
#include "conf/job_spec.h"
#include "conf/tree_limits.h"
#include "daemon/engine/ports.h"

namespace procsup {

/// What a launch needs so that its process is held from its first instruction on.
struct Enclosure {
    Fd keeper_socket;  ///< for the keeper that is to be between the daemon and the process; none where there is no keeper
    const char* keeper = nullptr;  ///< its program, absolute
    Fd cgroup;                     ///< the directory of the group that the process is created in (CLONE_INTO_CGROUP)
    /// Limits that the kernel refused, with their errors.
    std::vector<std::pair<Key, int>> refused{};
};

/// The processes of one run, from before its launch until none is left.
class Tree {
public:
    virtual ~Tree() = default;
    /// The daemon has a child for it: the main process, or its keeper.
    virtual void began(pid_t child) = 0;
    /// The run may go on with another main process when the one it has ends: TreeObserver::next_main(). Before the launch.
    virtual void may_go_on() {}
    /// It does, with a child of the daemon's. Only where the daemon is the parent of main processes.
    virtual void main_is([[maybe_unused]] pid_t child) {}
    /// Whether a process is one of these, for certain. Of one that the caller holds: see descends_from().
    virtual bool holds([[maybe_unused]] pid_t pid) const { return false; }
    /// The daemon's child has ended and has not been collected yet. `kill`: with a main process everything that it has left
    /// ends.
    virtual void child_ended(bool kill) = 0;
    /// To the main process, which has not been collected.
    virtual void signal_main(int signal) = 0;
    /// To every process; those that are forked meanwhile may not get it.
    virtual void signal_all(int signal) = 0;
    /// No process runs any more, or all go on.
    virtual void pause(bool pause) = 0;
    /// SIGKILL to every process, also to those that are forked meanwhile, as far as the way of holding them allows.
    virtual void kill() = 0;
    /// Whether processes may have been killed that the daemon collects.
    virtual bool was_killed() const = 0;
    /// Whether no process is left; once the main process was collected.
    virtual bool is_empty() = 0;
    /// Processes are left: look_at_leftovers() is called from now on when that may have changed.
    virtual void await_empty() = 0;
    /// How many of them the kernel has killed for want of memory, as far as that is known.
    virtual OomKills oom_kills() const { return {}; }
    /// What of their use is known without looking at each of them; or, if they are `few`, with looking.
    virtual TreeUsage usage([[maybe_unused]] bool few) const { return {}; }
    /// How much of usage().memory the kernel would drop first when it needs some: files that were read or written a while ago.
    virtual std::uint64_t droppable_memory() const { return 0; }
};

/// What a run is to go on with.
struct NextMain {
    pid_t pid = 0;    ///< 0: nothing
    int handle = -1;  ///< a pidfd, which stays whose it is
};

/// What becomes of trees.
class TreeObserver {
public:
    virtual ~TreeObserver() = default;
    /// A keeper's main process has ended, and is collected when this is known.
    virtual NextMain next_main([[maybe_unused]] Incarnation incarnation) { return {}; }
    /// A keeper has collected it, and the run goes on with another one.
    virtual void goes_on([[maybe_unused]] Incarnation incarnation, [[maybe_unused]] pid_t main) {}
    /// A keeper has collected its main process, which took `cpu`; `empty`: and nothing is left.
    virtual void main_ended(Incarnation incarnation, ExitStatus status, Duration cpu, bool empty) = 0;
    /// A keeper tells what other processes it has collected since it last told, before it tells of the end of the last.
    virtual void orphans_collected(Incarnation incarnation, Orphaned orphans) = 0;
    /// The same of those that were its main process before.
    virtual void former_mains_collected(Incarnation incarnation, Orphaned mains) = 0;
    /// A tree may have become empty that was not.
    virtual void look_at_leftovers() = 0;
};

/// One way to hold the processes of runs together: see the modes in conf/job_spec.h. Owns what it needs of the system for
/// that; must outlive its trees. All calls are on the loop's thread, none waits for a process.
class Containment {
public:
    virtual ~Containment() = default;
    virtual ContainmentMode mode() const = 0;
    /// Where the processes of an instance are held, for people: a directory, or nothing.
    virtual std::string place(std::string_view instance) const = 0;
    /// Why controllers cannot limit trees.
    virtual ControllerFaults controller_faults() const = 0;
    /// These controllers are needed from now on; what has become of that controller_faults() tells.
    virtual void enable(ControllerSet) {}
    /// Makes a tree for a run that is about to be launched, with `limits` as far as their controllers are enabled, and lays out
    /// in `enclosure` what the launch needs. The Error has EBUSY when processes of an earlier run are still there.
    virtual Result<std::unique_ptr<Tree>> enclose(const InstanceName& name, const std::vector<TreeLimit>& limits,
                                                  Incarnation incarnation, Enclosure& enclosure) = 0;
    /// The instance that holds a process, or held it while it is a zombie; nothing when that is not known for certain.
    virtual std::optional<std::string> instance_of(pid_t pid) const = 0;
    /// The same as the run for which its tree was made; 0 when that is not known.
    virtual Incarnation run_of(pid_t pid) const = 0;
    /// There is no zombie now that the daemon has to collect.
    virtual void all_collected() {}
    /// SIGKILL to what an earlier daemon has left, where this can find it; whether nothing is left. Before the first run.
    virtual bool clear_leftovers() = 0;
    /// The directory of the cgroup that a guard has to empty when the daemon has died; none where it is not needed.
    virtual Fd guarded() const = 0;
};

/// The containment to use, and why it is that one.
struct ChosenContainment {
    std::unique_ptr<Containment> containment;
    std::string reason;
};

/// What is known of the daemon's own surroundings.
struct ContainmentPlace {
    std::string runtime_dir;  ///< what its groups are called after where the place does not name them
    bool delegated = false;   ///< its own cgroup is its to divide, though nothing on it says so
};

/// What is asked for, or the best that is to be had here. The Error says why what was asked for cannot be had.
Result<ChosenContainment> choose_containment(ContainmentMode wanted, const ContainmentPlace& place, EventLoop& loop,
                                             TreeObserver& observer);

}  // namespace procsup
