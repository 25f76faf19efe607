#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"
#include "conf/expand.h"
#include "conf/job_spec.h"

namespace procsup {

/// What a launch needs so that its process is held from its first instruction on.
struct Enclosure {
    Fd cgroup;  ///< the directory of the group that the process is created in (CLONE_INTO_CGROUP)
};

/// The processes of one run, from before its launch until none is left.
class Tree {
public:
    virtual ~Tree() = default;
    /// The main process exists; it is a child of the daemon.
    virtual void began(pid_t main) = 0;
    /// The main process has ended and has not been collected yet. `kill`: with it everything it has left ends.
    virtual void main_ended(bool kill) = 0;
    /// With SIGCONT behind it, unless the signal is one that stops; the main process has not been collected.
    virtual void signal_main(int signal) = 0;
    /// To every process, in the same way; those that are forked meanwhile may not get it.
    virtual void signal_all(int signal) = 0;
    /// No process runs any more, or all go on.
    virtual void pause(bool pause) = 0;
    /// SIGKILL to every process, also to those that are forked meanwhile, as far as the way of holding them allows.
    virtual void kill() = 0;
    /// Whether no process is left; once the main process was collected.
    virtual bool is_empty() = 0;
    /// Processes are left: the containment's `changed` is called from now on when that may have changed.
    virtual void await_empty() = 0;
};

/// Whether a stopped process takes the signal only once it goes on.
bool needs_continue(int signal);

/// One way to hold the processes of runs together: see the modes in conf/job_spec.h. Owns what it needs of the system for
/// that; must outlive its trees. All calls are on the loop's thread, none waits for a process.
class Containment {
public:
    virtual ~Containment() = default;
    virtual ContainmentMode mode() const = 0;
    /// Where the processes of an instance are held, for people: a directory, or nothing.
    virtual std::string place(std::string_view instance) const = 0;
    /// Makes a tree for a run that is about to be launched, and lays out in `enclosure` what the launch needs. The Error has
    /// EBUSY when processes of an earlier run are still there.
    virtual Result<std::unique_ptr<Tree>> enclose(const InstanceName& name, Enclosure& enclosure) = 0;
    /// The instance that holds a process, or held it while it is a zombie; nothing when that is not known for certain.
    virtual std::optional<std::string> instance_of(pid_t pid) const = 0;
    /// Whether processes of an earlier daemon are there.
    virtual bool has_leftovers() const = 0;
    /// SIGKILL to all of them.
    virtual void kill_leftovers() = 0;
};

/// The containment to use, and why it is that one.
struct ChosenContainment {
    std::unique_ptr<Containment> containment;
    std::string reason;
};

/// What is asked for, or the best that is to be had here. `name` is what the daemon's groups are called after: its runtime
/// directory. `changed` is told of trees that may have become empty. The Error says why what was asked for cannot be had.
Result<ChosenContainment> choose_containment(ContainmentMode wanted, std::string_view name, EventLoop& loop,
                                             std::function<void()> changed);

}  // namespace procsup
