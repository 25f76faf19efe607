#pragma once

#include <sys/types.h>

#include <memory>

#include "common/exit_status.h"
#include "common/fd.h"
#include "common/result.h"
#include "common/units.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {

/// Who is told of children that have ended.
class ChildEndObserver {
public:
    virtual ~ChildEndObserver() = default;
    /// `pid` is a zombie: its number and its process group cannot be anybody else's yet.
    virtual void about_to_collect(pid_t pid) = 0;
    /// `cpu`: user and system time of it and of the children that it had collected itself.
    virtual void collected(pid_t pid, ExitStatus status, Duration cpu) = 0;
    /// For now there is no other child to collect.
    virtual void all_collected() = 0;
};

/// Collects every child of the daemon, its own and those it inherits as subreaper, each exactly once. SIGCHLD only says that
/// there is something to do (it coalesces); who has ended is asked of the kernel, one at a time: look at one zombie, tell,
/// collect it. In a storm it rests between batches, for clients. Nobody else in the program may wait for a child.
class Reaper {
public:
    Reaper(SdEventLoop& loop, ChildEndObserver& observer);

    /// Starts watching; children that have ended before are found too. SIGCHLD must be blocked.
    Result<void> start();

private:
    void collect();
    /// Collects children until `end`, or until there is no zombie; how many.
    int collect_batch(TimePoint end);
    bool collect_one();
    void forget_signals();

    SdEventLoop& loop_;
    ChildEndObserver& observer_;
    // Not a signal source of the loop: pausing one closes its descriptor, of which a child before exec may have a copy,
    // and epoll would go on reporting it.
    Fd signals_;
    std::unique_ptr<Watch> signal_;  ///< paused while rest_ is there
    std::unique_ptr<Watch> rest_;
};

}  // namespace procsup
