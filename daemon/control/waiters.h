#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/control/context.h"

namespace procsup {

/// Why what ends with the configuration that it was in is not started again.
inline constexpr std::string_view kLeft = "it has been removed, and stops for that";
/// Why no order starts what serves a connection, whether it runs or not.
inline constexpr std::string_view kServes = "it serves a connection, and is started by one alone";

/// What a caller waits for an instance to become. Down is the end of an order: it has failed where what a oneshot has done was
/// not undone.
enum class Goal { Up, Down, Stopped, Ready, Healthy, Exit, Reloaded, Checked };

/// Calls that are answered when every instance they are about has settled. Looked at only when one of these instances
/// has changed, or when a time that matters has come; a caller that goes away is forgotten.
class Waiters {
public:
    explicit Waiters(ControlContext& context) : context_(context) {}

    /// How many runs of an instance have ended when an order is given that ends its present one, if it has one.
    struct Target {
        InstanceId id = 0;
        std::uint64_t runs_ended = 0;
        std::string name;
        std::uint32_t number = 0;  ///< of the reload_command, or the look at its health, that is waited for; 0: none is
        bool ok = true;            ///< where it waits for none
        std::string cause{};       ///< the same
        std::uint32_t failed_undos = 0;  ///< of Goal::Down: those before the order
    };
    Target target(InstanceId id, bool ends_present_run) const;

    /// Answers `call` when all targets have settled, or when its timeoutUSec has passed.
    void add(varlink::PendingCall call, Goal goal, std::vector<Target> targets);
    void changed(InstanceId id);
    /// Instances may have left with the configuration, without any transition.
    void configured();
    void settle();

private:
    struct Waiter {
        varlink::PendingCall call;
        Goal goal;
        std::vector<Target> targets;
        std::size_t first_open = 0;  ///< all before it had settled when they were looked at
        std::unique_ptr<Watch> timeout;
        std::unique_ptr<Watch> look_again;
        TimePoint look_again_at;
        bool answered = false;
    };
    struct Verdict {
        bool settled = false;
        bool ok = false;
        TimePoint look_again;  ///< when time alone settles it; epoch: never
        std::string cause;     ///< empty: the instance's own
        bool refused = false;  ///< what was asked for was not tried
    };
    Verdict judge(Goal goal, const Target& target) const;
    Verdict judge_up(const Instance& instance, const Target& target) const;
    Verdict judge_down(const Instance& instance, const Target& target) const;
    static Verdict judge_reload(const Instance& instance, const Target& target);
    static Verdict judge_check(const Instance& instance, const Target& target);
    Verdict judge_healthy(const Instance& instance) const;
    bool is_down(const Instance& instance) const;
    bool is_configured(const Instance& instance) const;
    void look_at(Waiter& waiter);
    void look_again(Waiter& waiter, TimePoint when);
    void answer(Waiter& waiter, bool timed_out);
    void forget(Waiter& waiter);

    ControlContext& context_;
    std::list<Waiter> waiters_;
    std::unordered_multimap<InstanceId, Waiter*> by_instance_;
    std::vector<InstanceId> changed_;
    bool some_answered_ = false;
};

}  // namespace procsup
