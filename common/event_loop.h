#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace procsup {

/// A point on CLOCK_MONOTONIC; the only clock that decides anything.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// A point on CLOCK_REALTIME, microseconds since 1970; for display only.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Who is served first when several sources are ready in one turn: facts before requests.
enum class Priority : int { SpawnResult = -30, Exit = -15, Timer = 0, Client = 10, Idle = 100 };

/// What a loop watches. Destroying it ends the watch; it is safe to do so inside its own callback.
class Watch {
public:
    virtual ~Watch() = default;
    /// Changes the epoll(7) events of a descriptor's watch (EPOLLIN, EPOLLOUT; 0 = only errors and
    /// hang-up, which epoll always reports). Does nothing on any other watch.
    virtual void set_events(std::uint32_t events) = 0;
};

/// The loop of a program, as the code in common/ and daemon/control/ needs it; daemon/host/ has the one
/// implementation (sd-event). Single-threaded: every call and callback is on the loop's thread. A Watch
/// must be destroyed before its loop, and before its descriptor is closed.
class EventLoop {
public:
    virtual ~EventLoop() = default;

    /// Calls `ready` with the epoll events of `fd` whenever some are pending (level-triggered).
    virtual std::unique_ptr<Watch> watch_fd(int fd, std::uint32_t events, Priority priority,
                                            std::function<void(std::uint32_t)> ready) = 0;
    /// Calls `due` once, at `when` or up to 1 ms later.
    virtual std::unique_ptr<Watch> call_at(TimePoint when, std::function<void()> due) = 0;
    /// Calls `step` once a turn, after everything of higher priority, until the Watch is destroyed. For work
    /// that is done in bounded batches.
    virtual std::unique_ptr<Watch> call_each_turn(Priority priority, std::function<void()> step) = 0;

    /// The time at which the current turn began.
    virtual TimePoint now() const = 0;
};

}  // namespace procsup
