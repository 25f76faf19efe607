// How an instance comes to another text of its job.
#include <algorithm>
#include <utility>

#include "conf/job_difference.h"
#include "daemon/engine/instance.h"

namespace procsup {

void Instance::set_spec(std::shared_ptr<const JobSpec> spec, InstanceName name) {
    if (is_live(state_)) {
        next_spec_ = std::move(spec);
        next_name_ = std::make_unique<InstanceName>(std::move(name));
    } else {
        spec_ = std::move(spec);
        name_ = std::move(name);
        next_spec_.reset();
        next_name_.reset();
    }
}

void Instance::adopt_next_spec() {
    if (next_spec_) spec_ = std::exchange(next_spec_, nullptr);
    if (next_name_) name_ = std::move(*std::exchange(next_name_, nullptr));
}

bool Instance::failed_with_other_than(const JobSpec& spec) const {
    if (state_ != State::Failed || held_back_ || !run_spec_ || run_spec_.get() == &spec) return false;
    return difference(*run_spec_, spec).needs_restart();
}

/// Its keys that differ are live ones.
void Instance::on(const SpecChanged& event, Context& context) {
    const auto before = std::exchange(spec_, event.spec);
    next_spec_.reset();
    next_name_.reset();
    const bool executes = is_executing(state_);
    if (state_ == State::Starting) {
        follow_limit(TimerKind::StartTimeout, before->start_timeout, spec_->start_timeout, since_, context);
    }
    if (executes && !works_) {
        follow_limit(TimerKind::ReadyTimeout, before->readiness.timeout, spec_->readiness.timeout, began_, context);
    }
    if (executes && (runs_beside(SideRole::PostStart) || runs_beside(SideRole::ReloadCommand))) {
        follow_limit(TimerKind::StartTimeout, before->start_timeout, spec_->start_timeout, beside_began_, context);
    }
    if (executes) follow_limit(TimerKind::RunTimeout, before->run_timeout, spec_->run_timeout, began_, context);
    if (has_stop_time())
        follow_limit(TimerKind::StopTimeout, before->stop_timeout, spec_->stop_timeout, since_, context);
    follow_lifetime(*before, context);
    follow_health(*before, context);
    follow_stop_steps(*before, context);
    follow_zombie_limit(*before, context);
    follow_backoff(before->restart, context);
}

/// Whether stop_timeout bounds what goes on: the run was told to end, or a command runs that has as much time.
bool Instance::has_stop_time() const {
    if (state_ != State::Stopping || stop_held_) return false;
    if (!run_over_) return told_to_end_ && !killed_;
    return taken_down_ || runs_beside(SideRole::PostStop) || runs_beside(SideRole::OnFailed) ||
           (told_to_end_ && runs_beside(SideRole::PreStart));
}

/// A time that is running ends as if it had been the new one from its beginning on; what was added to it stays added.
void Instance::follow_limit(TimerKind kind, Duration before, Duration limit, TimePoint began, Context& context) {
    if (before == limit) return;
    auto& due = due_[static_cast<std::size_t>(kind)];
    disarm(kind, context);
    if (limit == kForever) return;
    due = before == kForever ? began + limit : due + (limit - before);
    // While it is paused no time runs out; what is left of it does afterwards.
    if (state_ != State::Paused) arm_until(kind, due, context);
}

void Instance::follow_stop_steps(const JobSpec& before, Context& context) {
    if (before.stop_steps == spec_->stop_steps || !is_armed(TimerKind::StopStep)) return;
    const auto signalled = due_[static_cast<std::size_t>(TimerKind::StopStep)] - before.stop_steps[stop_step_].pause;
    disarm(TimerKind::StopStep, context);
    if (stop_step_ >= spec_->stop_steps.size()) return;
    arm_until(TimerKind::StopStep, signalled + spec_->stop_steps[stop_step_].pause, context);
}

void Instance::follow_zombie_limit(const JobSpec& before, Context& context) {
    if (state_ != State::Running && state_ != State::Reloading) return;
    if (before.zombie_limit == spec_->zombie_limit && before.zombie_check == spec_->zombie_check) return;
    disarm(TimerKind::ZombieCheck, context);
    if (spec_->zombie_limit) arm(TimerKind::ZombieCheck, spec_->zombie_check, context);
}

void Instance::follow_backoff(const RestartPolicy& before, Context& context) {
    const auto& policy = spec_->restart;
    const bool same = before.delay == policy.delay && before.backoff == policy.backoff &&
                      before.delay_max == policy.delay_max && before.jitter == policy.jitter;
    if (same || !is_armed(TimerKind::Backoff)) return;
    disarm(TimerKind::Backoff, context);
    next_start_ = since_ + with_jitter(restart_delay(policy, quick_deaths_), policy.jitter, context.random);
    arm_until(TimerKind::Backoff, next_start_, context);
}

void Instance::arm_until(TimerKind kind, TimePoint when, Context& context) {
    arm(kind, std::max(Duration::zero(), std::chrono::duration_cast<Duration>(when - context.now)), context);
}

}  // namespace procsup
