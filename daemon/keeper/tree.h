#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "daemon/keeper/process.h"

namespace procsup::keeper {

/// Every process below the keeper, for the time of one order. It exists only while nothing is collected, so that the
/// number of a child of the keeper's stands for that child throughout.
///
/// What it knows is exact. A child of the keeper belongs to the job. A process that was seen, while it was held, to be
/// the child of one that belongs to the job does so too, and for ever: what loses its parent passes to the nearest
/// subreaper above, which is the keeper or belongs to the job itself. So does one that is in a session of the job's: these are
/// made by its processes, and inherited by their children only (setsid(2)). What was stopped is remembered by pid and session;
/// what runs, and could leave its session, by pid and start time. It is looked at again, held, before each signal, so that
/// a number in use again is never taken for it.
///
/// Its memory is mapped for that time; of the 48 MiB only what is used is real. Without it the keeper's own children
/// are signalled, and when those end their children take their place. Without a /proc of the keeper's own pid namespace
/// nothing is.
class Tree {
public:
    explicit Tree(pid_t keeper);
    ~Tree();
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    /// To every process once, the nearest to the keeper first.
    void signal_all(int signal);
    /// SIGSTOP to every process at the moment it is found, until no more are found. Whether they are at rest, so that
    /// no more can appear: a fork that was under way when the signal came is completed, and its child has no signal.
    bool freeze();
    /// Freezes and then kills, as killing processes that run makes room for more of them; again, if there are more.
    /// SIGKILL also ends a fork that is under way.
    void kill();

private:
    static constexpr std::size_t kMaxPids = 4U << 20U;  ///< PID_MAX_LIMIT of the kernel

    struct Known {
        pid_t pid;
        pid_t session;          ///< one of the job's; 0: not known to be
        std::uint32_t started;  ///< with no session; 0: a child of the keeper's when it was found: the number will do
    };
    struct Space {
        std::uint64_t known[kMaxPids / 64];  ///< by pid
        Known list[kMaxPids];
    };

    bool look(int signal);
    void stop_all();
    bool are_at_rest() const;
    void look_below(const Known& entry, int signal);
    bool adopt(pid_t pid, const Process& parent, const Known& below, int signal);
    bool is_known(pid_t pid) const;
    bool is_the_same(const Known& entry, const Process& process) const;
    void remember(const Known& entry);
    void send(const Known& entry, int signal) const;
    void signal_children(int signal) const;

    pid_t keeper_;
    pid_t outside_;  ///< procsupd's session
    bool sees_children_;
    Space* space_ = nullptr;
    std::size_t count_ = 0;
    bool disturbed_ = false;  ///< a look has met a process on its way to another place
};

}  // namespace procsup::keeper
