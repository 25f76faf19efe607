#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "daemon/engine/ports.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {

/// The engine's timers on one timer of the loop, which is moved only when an earlier one comes: thousands of armed ones cost
/// no wake-up, but for one that may find nothing due.
class TimerQueue final : public Timers {
public:
    using Fire = std::function<void(InstanceId, TimerKind, std::uint32_t generation)>;

    TimerQueue(SdEventLoop& loop, Fire fire);

    void arm(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint when) override;
    void disarm(InstanceId id, TimerKind kind) override;

    /// Makes the loop wake up at the earliest deadline; once at the end of a turn.
    void settle();

private:
    using Key = std::pair<InstanceId, TimerKind>;
    struct Deadline {
        TimePoint when;
        std::uint32_t generation;
    };
    void fire_due();

    Fire fire_;
    SdEventLoop& loop_;
    std::map<Key, Deadline> armed_;
    std::set<std::tuple<TimePoint, InstanceId, TimerKind>> by_time_;
    std::unique_ptr<SdEventLoop::Timer> timer_;
    std::optional<TimePoint> set_for_;
};

}  // namespace procsup
