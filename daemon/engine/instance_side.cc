// What becomes of the commands that run beside a run of an instance.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "daemon/engine/instance.h"

namespace procsup {

void Instance::side_spawned(Incarnation incarnation, pid_t pid) {
    for (auto& side : sides_) {
        if (side.incarnation == incarnation) side.pid = pid;
    }
}

void Instance::on(const SideNotStarted& event, Context& context) {
    const auto [role, incarnation, spec, began, pid, left_others] = *side(event.side);
    const auto& command = command_of(*spec, role);
    auto failure = event.text;
    if (failure.empty()) failure = describe(event.stage, *spec, command);
    if (event.text.empty() && event.stage != SpawnStage::Cancelled) {
        failure = fmt::format("cannot {}: {}", failure, strerrordesc_np(event.os_error));
    }
    note_teardown(*side(event.side), std::nullopt, context.now);
    std::erase_if(sides_, [&](const SideRun& one) { return one.incarnation == event.side; });
    side_failed(role, failure, context);
    side_over(role, context);
}

void Instance::on(const SideExited& event, Context& context) {
    const auto found =
        std::find_if(sides_.begin(), sides_.end(), [&](const SideRun& side) { return side.incarnation == event.side; });
    const auto role = found->role;
    found->left_others = true;
    if (role == SideRole::StopCommand || role == SideRole::PreStop) {
        const auto running = fmt::format("; running {}", to_text(role));
        if (cause_.ends_with(running)) cause_.resize(cause_.size() - running.size());
    }
    note_teardown(*found, event.status, context.now);
    if (event.tree_empty) {
        sides_.erase(found);
    } else if (ends_side(*found)) {
        context.actions.push_back(KillBesideAction{event.side});
    }
    if (event.status.success()) {
        side_succeeded(role, context);
    } else {
        side_failed(role, to_text(event.status), context);
    }
    if (event.tree_empty) side_over(role, context);
}

void Instance::on(const SideTreeEmpty& event, Context& context) {
    const auto role = side(event.side)->role;
    std::erase_if(sides_, [&](const SideRun& one) { return one.incarnation == event.side; });
    side_over(role, context);
}

bool Instance::is_beside(SideRole role) const {
    return std::any_of(sides_.begin(), sides_.end(), [&](const SideRun& side) { return side.role == role; });
}

bool Instance::runs_beside(SideRole role) const {
    return std::any_of(sides_.begin(), sides_.end(),
                       [&](const SideRun& side) { return side.role == role && !side.left_others; });
}

void Instance::side_succeeded(SideRole role, Context& context) {
    switch (role) {
        case SideRole::ReadyProbe: on(BecameReady{}, context); return;
        case SideRole::ReloadCommand: reload_over({}, context); return;
        case SideRole::PostStart:
            if (!is_executing(state_)) return;
            disarm(TimerKind::StartTimeout, context);
            become_ready(context);
            return;
        case SideRole::PreStop: tell_run_to_end(context); return;
        case SideRole::HealthCheck: health_check_over(true, {}); return;
        case SideRole::HealthProbe:
        case SideRole::StopCommand:
        case SideRole::PreStart:
        case SideRole::PostStop:
        case SideRole::OnFailed: return;
    }
}

void Instance::side_failed(SideRole role, const std::string& failure, Context& context) {
    if (const auto hook = hook_of(role)) return hook_failed(*hook, failure, context);
    if (role == SideRole::StopCommand) return stop_command_failed(failure, context);
    if (role == SideRole::HealthCheck) return health_check_over(false, failure);
    if (role == SideRole::HealthProbe) return;
    if (role == SideRole::ReloadCommand) {
        const bool overdue = spec_->start_timeout != kForever && !is_armed(TimerKind::StartTimeout);
        const auto limit = " (did not end within start_timeout, " + to_text(spec_->start_timeout) + ")";
        return reload_over(failure + (overdue ? limit : ""), context);
    }
    if (is_executing(state_) && !works_) {
        ready_failed("cannot find out whether it is ready (" + awaited() + "): " + failure, context);
    }
}

/// Nothing is left of it.
void Instance::side_over(SideRole role, Context& context) {
    if (role == SideRole::PreStart && preparing_ && state_ == State::Starting) return prepared(context);
    if (role == SideRole::HealthProbe) health_probe_over(context);
    if (role == SideRole::ReloadCommand && std::exchange(reload_again_, false)) {
        on(ReloadRequested{"reload asked for once more"}, context);
    }
    // The run is over when nothing is left of any.
    if (!run_over_ || !sides_.empty()) return;
    failure_ ? settle_failure(context) : after_run(context);
}

void Instance::tell_beside(SideRole role, Context& context) {
    for (const auto& side : sides_) {
        if (side.role == role && !side.left_others) context.actions.push_back(TellBesideAction{side.incarnation});
    }
}

void Instance::kill_beside(SideRole role, Context& context) {
    for (const auto& side : sides_) {
        if (side.role == role) context.actions.push_back(KillBesideAction{side.incarnation});
    }
}

/// A probe that was told to end has a moment to say what it has found last.
void Instance::end_sides(Context& context) {
    constexpr auto kMoment = std::chrono::seconds(1);
    bool waits = false;
    for (const auto& side : sides_) {
        const bool speaks = side.role == SideRole::ReadyProbe && told_to_end_ && !side.left_others;
        if (!speaks) context.actions.push_back(KillBesideAction{side.incarnation});
        waits = waits || speaks;
    }
    if (waits) arm(TimerKind::StopTimeout, kMoment, context);
}

void Instance::kill_sides(Context& context) {
    for (const auto& side : sides_) context.actions.push_back(KillBesideAction{side.incarnation});
}

}  // namespace procsup
