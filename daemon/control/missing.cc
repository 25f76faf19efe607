#include "daemon/control/missing.h"

#include <algorithm>

namespace procsup {
namespace {

bool prepares(const Instance& instance) {
    const auto& sides = instance.sides();
    return std::any_of(sides.begin(), sides.end(), [](const auto& side) { return side.role == SideRole::PreStart; });
}

std::string missing_while_it_runs(const Instance& instance, const std::string& left) {
    if (instance.awaits_readiness()) return "not ready: waits for " + instance.awaited() + left;
    return "has to run for min_uptime (" + to_text(instance.spec().restart.min_uptime) + ")";
}

}  // namespace

std::string rest_text(TimePoint due, TimePoint now) {
    return to_text(std::max(std::chrono::duration_cast<Duration>(due - now), Duration::zero()));
}

std::string missing(Goal goal, const Instance& instance, TimePoint now) {
    if (goal != Goal::Up && goal != Goal::Ready) return {};
    const auto due = instance.ready_due();
    const auto left = due == kNever ? std::string() : " (" + rest_text(due, now) + " left)";
    switch (instance.state()) {
        case State::Waiting: return "waits for " + instance.waits_for();
        case State::Starting:
            if (instance.opens_sockets()) return "waits for its sockets to be opened" + left;
            return (prepares(instance) ? "waits for pre_start to end" : "waits for its program to be executed") + left;
        case State::Running:
        case State::Reloading: return missing_while_it_runs(instance, left);
        case State::Backoff: return "next start in " + rest_text(instance.next_start(), now);
        case State::Stopping: return "waits for its processes to end";
        case State::Paused: return "is paused; resume it first";
        case State::Listening:
        case State::Stopped:
        case State::Exited:
        case State::Failed: return {};
    }
    return {};
}

}  // namespace procsup
