// How long a run may last, and when one counts as up.
#include <algorithm>
#include <utility>

#include "common/signal_name.h"
#include "daemon/engine/instance.h"

namespace procsup {

TimePoint Instance::proven_at() const {
    if (!is_executing(state_) || !ready()) return kNever;
    return is_ready_at_once() ? began_ + spec_->restart.min_uptime : TimePoint();
}

/// [defaults] may give one to a job that ends by itself.
bool Instance::has_max_lifetime() const { return spec_->max_lifetime != kForever && spec_->type == JobType::Service; }

Duration Instance::draw_lifetime(Context& context) const {
    return std::max(with_jitter(spec_->max_lifetime, spec_->max_lifetime_variance, context.random),
                    spec_->restart.min_uptime);
}

/// Of a run that goes on, counted from its beginning.
void Instance::follow_lifetime(const JobSpec& before, Context& context) {
    const bool same = before.max_lifetime == spec_->max_lifetime &&
                      before.max_lifetime_variance == spec_->max_lifetime_variance && before.type == spec_->type;
    if (same || !is_executing(state_)) return;
    recycle_due_ = false;
    disarm(TimerKind::MaxLifetime, context);
    if (!has_max_lifetime()) return;
    auto& due = due_[static_cast<std::size_t>(TimerKind::MaxLifetime)];
    due = began_ + draw_lifetime(context);
    if (state_ != State::Paused) arm_until(TimerKind::MaxLifetime, due, context);
}

/// From now on it has to say again and again that it does its work.
void Instance::watch_life(Context& context) {
    if (!ready_ || (state_ != State::Running && state_ != State::Reloading)) return;
    sign_of_life_ = context.now;
    arm(TimerKind::Watchdog, watchdog_, context);
}

/// A sign of life only moves the time at which is looked: what comes a thousand times a second costs no timer.
void Instance::note_life(const Notice& notice, Context& context) {
    if (notice.alive) sign_of_life_ = context.now;
    if (!spec_->has_watchdog()) return;
    if (notice.watchdog && *notice.watchdog != watchdog_) {
        watchdog_ = *notice.watchdog;
        disarm(TimerKind::Watchdog, context);
        watch_life(context);
    }
    if (notice.hangs && is_executing(state_)) life_lost("it has hung, as it says", context);
}

void Instance::look_for_life(Context& context) {
    const auto due = sign_of_life_ + watchdog_;
    if (due > context.now) return arm_until(TimerKind::Watchdog, due, context);
    life_lost("watchdog (" + to_text(watchdog_) + ") passed without a sign of life", context);
}

/// No command of it is asked to end it in order: it does not answer.
void Instance::life_lost(std::string why, Context& context) {
    const bool paused = state_ == State::Paused;
    timed_out_ = hangs_ = true;
    limit_text_ = std::move(why);
    end_helpers(context);
    enter(State::Stopping, limit_text_ + "; sending " + signal_name(spec_->watchdog_signal), context);
    told_to_end_ = stop_signalled_ = true;
    told_ = {spec_->watchdog_signal, context.now};
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
    const auto to = main_ended_ ? SignalTo::All : SignalTo::Main;
    context.actions.push_back(TellToEndAction{spec_->watchdog_signal, to});
    if (paused) context.actions.push_back(PauseAction{false});
}

/// As a restart, but that what went wrong before is not forgotten.
void Instance::on(const MayRecycle&, Context& context) {
    if (!recycle_due_ || (state_ != State::Running && state_ != State::Reloading)) return;
    const auto when = context.gate.before_recycle(*this, context.now);
    disarm(TimerKind::MaxLifetime, context);
    if (when <= context.now) {
        recycle_due_ = false;
        starts_again_ = true;
        begin_stop("max_lifetime (" + to_text(spec_->max_lifetime) + ") reached", context);
    } else if (when != kNever) {
        arm(TimerKind::MaxLifetime, std::chrono::duration_cast<Duration>(when - context.now), context);
    }
}

}  // namespace procsup
