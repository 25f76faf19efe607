// How it becomes known that an instance does its work, and what else it says of itself.
#include <algorithm>
#include <utility>

#include "daemon/engine/instance.h"

namespace procsup {

void Instance::note_first_start(TimePoint now) {
    auto& first = first_start_;
    if (first.over || first.wanted == TimePoint()) return;
    const bool starts = state_ == State::Starting;
    const bool again = starts && first.began != TimePoint();
    if (starts && !again) first.began = now;
    if (ready()) {
        first.ready = now;
        first.over = true;
    } else if ((again || is_settled(state_) || state_ == State::Backoff) && first.failed == TimePoint()) {
        first.failed = now;
    }
}

TimePoint Instance::ready_due() const {
    if (state_ != State::Starting && state_ != State::Reloading && !awaits_readiness()) return kNever;
    for (const auto kind : {TimerKind::ReadyTimeout, TimerKind::StartTimeout}) {
        if (is_armed(kind)) return due_[static_cast<std::size_t>(kind)];
    }
    return kNever;
}

void Instance::await_ready(Context& context) {
    arm(TimerKind::ReadyTimeout, spec_->readiness.timeout, context);
    if (!spec_->readiness.probe.empty()) context.actions.push_back(SpawnBesideAction{SideRole::ReadyProbe});
}

/// Perhaps before it is known that its program runs.
void Instance::on(const BecameReady&, Context& context) {
    if ((state_ != State::Starting && !is_executing(state_)) || works_) return;
    works_ = true;
    settle_ready(context);
}

void Instance::on(const ReadinessHindered& event, Context&) {
    hindrance_ = event.how;
    hindrance_said_ = event.said;
}

std::string Instance::awaited() const {
    if (ready_) return "its end";
    if (works_) return "post_start";
    return expand_job(to_text(spec_->readiness), name_) + hindrance_;
}

std::string Instance::awaited_with_output() const {
    return works_ || hindrance_said_.empty() ? awaited() : awaited() + ": " + hindrance_said_;
}

/// What does its work is ready, when post_start has ended well.
void Instance::settle_ready(Context& context) {
    if (!works_ || ready_ || !is_executing(state_) || runs_beside(SideRole::PostStart)) return;
    disarm(TimerKind::ReadyTimeout, context);
    if (spec_->hook(Hook::PostStart) != nullptr) {
        if (state_ == State::Paused) return;
        run_hook(Hook::PostStart, context);
        beside_began_ = context.now;
        arm(TimerKind::StartTimeout, spec_->start_timeout, context);
        cause_ += "; running post_start";
        note(state_, context);
    } else {
        become_ready(context);
    }
}

void Instance::become_ready(Context& context) {
    constexpr std::string_view kHook = "; running post_start";
    if (cause_.ends_with(kHook)) cause_.resize(cause_.size() - kHook.size());
    ready_ = true;
    cause_ += ", ready after " + to_text(std::chrono::duration_cast<Duration>(context.now - began_));
    watch_life(context);
    watch_health(context);
    note(state_, context);
}

void Instance::on(const Noticed& event, Context& context) {
    const auto& notice = event.notice;
    if (!is_live(state_)) return;
    if (notice.status) status_text_ = *notice.status;
    if (notice.extend_timeout) extend_timeouts(*notice.extend_timeout, context);
    note_life(notice, context);
    if (notice.stopping && is_executing(state_)) return says_that_it_ends(context);
    // Who says both at once, or again and again, only makes noise.
    constexpr auto kNoise = std::chrono::seconds(1);
    const bool reloads = notice.reloading && !notice.ready && state_ == State::Running && ready_;
    if (reloads && context.now - last_reload_ >= kNoise) {
        last_reload_ = context.now;
        enter(State::Reloading, "it reads its configuration again, as it says", context);
    }
    if (!notice.ready) return;
    if (state_ == State::Reloading) {
        if (runs_beside(SideRole::ReloadCommand)) return;
        enter(State::Running, "has read its configuration again, as it says", context);
    } else if (spec_->readiness.kind == Readiness::Kind::Notify) {
        on(BecameReady{}, context);
    }
}

/// What was asked for stays: its restart policy decides what follows.
void Instance::says_that_it_ends(Context& context) {
    const bool paused = state_ == State::Paused;
    end_helpers(context);
    enter(State::Stopping, "it ends by itself, as it says", context);
    told_to_end_ = ends_by_itself_ = true;
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
    if (paused) context.actions.push_back(PauseAction{false});
}

void Instance::ready_failed(std::string why, Context& context) {
    timed_out_ = true;
    limit_text_ = std::move(why);
    stop_run(limit_text_, context);
}

/// What runs beside a job that is up has nothing to do beside one that ends. A probe is told, not killed, so that it says what
/// it has found last.
void Instance::end_helpers(Context& context) {
    tell_beside(SideRole::ReadyProbe, context);
    kill_beside(SideRole::HealthProbe, context);
    kill_beside(SideRole::HealthCheck, context);
    kill_beside(SideRole::PostStart, context);
    kill_beside(SideRole::ReloadCommand, context);
}

/// Of the times that are running now; never shortens one. A stop is not put off for ever: others may wait for it.
void Instance::extend_timeouts(Duration by, Context& context) {
    constexpr auto kLongestStop = std::chrono::hours(1);
    for (const auto kind : {TimerKind::ReadyTimeout, TimerKind::RunTimeout, TimerKind::StopTimeout}) {
        auto due = context.now + by;
        if (kind == TimerKind::StopTimeout) due = std::min(due, since_ + kLongestStop);
        if (!is_armed(kind) || due_[static_cast<std::size_t>(kind)] >= due) continue;
        disarm(kind, context);
        arm(kind, std::chrono::duration_cast<Duration>(due - context.now), context);
    }
}

}  // namespace procsup
