// How long a run may last, and when one counts as up.
#include <algorithm>

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

/// As a restart, but that what went wrong before is not forgotten.
void Instance::on(const MayRecycle&, Context& context) {
    if (!recycle_due_ || (state_ != State::Running && state_ != State::Reloading)) return;
    const auto when = context.gate.before_recycle(*this, context.now);
    disarm(TimerKind::MaxLifetime, context);
    if (when <= context.now) {
        recycle_due_ = false;
        begin_stop("max_lifetime (" + to_text(spec_->max_lifetime) + ") reached", context);
    } else if (when != kNever) {
        arm(TimerKind::MaxLifetime, std::chrono::duration_cast<Duration>(when - context.now), context);
    }
}

}  // namespace procsup
