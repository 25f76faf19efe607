// What becomes of the commands that run beside a run of an instance.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "daemon/engine/instance.h"

namespace procsup {

void Instance::on(const SideNotStarted& event, Context& context) {
    const auto role = side(event.side)->role;
    const auto& command = command_of(*spec_, role);
    forget_side(event.side);
    side_failed(
        role,
        event.stage == SpawnStage::Cancelled
            ? describe(event.stage, *spec_, command)
            : fmt::format("cannot {}: {}", describe(event.stage, *spec_, command), strerrordesc_np(event.os_error)),
        context);
    side_over(context);
}

void Instance::on(const SideExited& event, Context& context) {
    const auto found =
        std::find_if(sides_.begin(), sides_.end(), [&](const SideRun& side) { return side.incarnation == event.side; });
    const auto role = found->role;
    found->left_others = true;
    if (event.tree_empty) sides_.erase(found);
    if (!event.status.success()) {
        side_failed(role, to_text(event.status), context);
    } else if (role == SideRole::ReadyProbe) {
        on(BecameReady{}, context);
    }
    side_over(context);
}

void Instance::on(const SideTreeEmpty& event, Context& context) {
    forget_side(event.side);
    side_over(context);
}

void Instance::forget_side(Incarnation side) {
    std::erase_if(sides_, [&](const SideRun& one) { return one.incarnation == side; });
}

void Instance::side_failed(SideRole role, const std::string& failure, Context& context) {
    switch (role) {
        case SideRole::StopCommand: stop_command_failed(failure, context); return;
        case SideRole::ReadyProbe:
            if (is_executing(state_) && !ready_)
                ready_failed("cannot find out whether it is ready: " + failure, context);
            return;
    }
}

/// The run is over when nothing is left of them.
void Instance::side_over(Context& context) {
    if (run_over_ && sides_.empty()) settle_end(context);
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
