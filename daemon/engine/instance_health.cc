// Looks at an instance that is ready, again and again, and what becomes of one that is unhealthy. What looks is a command beside
// the run (procsup-probe), which has the verdict; here is decided what follows.
#include <algorithm>
#include <utility>

#include "daemon/engine/instance.h"

namespace procsup {
namespace {

/// Before another probe is started in place of one that has ended by itself, or could not be started.
constexpr auto kBetweenProbes = std::chrono::seconds(5);

}  // namespace

HealthWatch& Instance::health_watch() {
    if (!health_) health_ = std::make_unique<HealthWatch>();
    return *health_;
}

const HealthState* Instance::health() const {
    static const HealthState kUnknown;
    if (!is_up() || !spec_->health.is_declared()) return nullptr;
    return health_ ? &health_->state : &kUnknown;
}

bool Instance::healthy() const {
    const auto* state = health();
    return state != nullptr && state->verdict == HealthVerdict::Healthy;
}

TimePoint Instance::health_restart_due() const {
    return is_armed(TimerKind::HealthRestart) ? due_[static_cast<std::size_t>(TimerKind::HealthRestart)] : kNever;
}

std::uint32_t Instance::health_restarts(TimePoint now) const {
    return health_ ? health_->restarts.count(spec_->health.restart_limit, now) : 0;
}

/// In a run that is ready, goes on and does not stand still.
bool Instance::is_watched() const {
    return spec_->health.is_declared() && ready_ && (state_ == State::Running || state_ == State::Reloading);
}

void Instance::watch_health(Context& context) {
    if (!is_watched()) return;
    if (health_) health_->mended = false;
    watch_usage(context);
    if (!spec_->health.look.is_declared() || is_beside(SideRole::HealthProbe)) return;
    disarm(TimerKind::HealthProbe, context);
    context.actions.push_back(SpawnBesideAction{SideRole::HealthProbe});
}

/// Nothing is left of the one before.
void Instance::health_probe_over(Context& context) {
    const bool replaced = std::exchange(health_watch().replaced, false);
    if (!is_watched()) return;
    if (replaced) return watch_health(context);
    arm(TimerKind::HealthProbe, kBetweenProbes, context);
}

void Instance::follow_health(const JobSpec& before, Context& context) {
    if (before.health == spec_->health || !is_executing(state_)) return;
    disarm(TimerKind::HealthRestart, context);
    if (health_) forget_health();
    disarm(TimerKind::HealthMeasure, context);
    if (is_beside(SideRole::HealthProbe)) {
        health_watch().replaced = true;
        kill_beside(SideRole::HealthProbe, context);
    } else {
        watch_health(context);
    }
}

std::string Instance::unhealthy_text() const {
    const auto& words = health_->state.words;
    return "unhealthy: " + (words.empty() ? expand_job(to_text(spec_->health), name_) : words);
}

void Instance::on(const HealthReported& event, Context& context) {
    const auto* from = side(event.side);
    if (from == nullptr) return;
    if (from->role == SideRole::HealthCheck) {
        auto& checks = health_watch().checks;
        checks.words = event.words;
        checks.said = event.said;
        return;
    }
    if (from->role != SideRole::HealthProbe || !is_watched() || health_watch().replaced) return;
    auto& probe = health_->probe;
    probe.words = event.words;
    probe.said = event.said;
    // What was known once is not forgotten.
    if (event.verdict != HealthVerdict::Unknown) probe.verdict = event.verdict;
    judge_health(context);
}

/// Unhealthy when one of the ways to look finds it so, healthy when all do.
void Instance::judge_health(Context& context) {
    std::vector<const HealthPart*> parts;
    if (spec_->health.look.is_declared()) parts.push_back(&health_->probe);
    if (health_->usage) parts.push_back(&health_->usage->part);
    const auto worse = [](const HealthPart* a, const HealthPart* b) {
        return std::pair(a->verdict == HealthVerdict::Unhealthy, !a->words.empty()) >
               std::pair(b->verdict == HealthVerdict::Unhealthy, !b->words.empty());
    };
    std::stable_sort(parts.begin(), parts.end(), worse);
    auto& state = health_->state;
    state.words = parts.front()->words;
    state.said = parts.front()->said;
    const bool well = std::all_of(parts.begin(), parts.end(),
                                  [](const auto* part) { return part->verdict == HealthVerdict::Healthy; });
    const bool unwell = parts.front()->verdict == HealthVerdict::Unhealthy;
    if (!well && !unwell) return;
    const auto verdict = unwell ? HealthVerdict::Unhealthy : HealthVerdict::Healthy;
    const auto before = std::exchange(state.verdict, verdict);
    if (before == verdict) return;
    const auto since = std::exchange(state.since, context.now);
    if (unwell) return unhealthy(context);
    health_->waits = false;
    disarm(TimerKind::HealthRestart, context);
    const bool again = before == HealthVerdict::Unhealthy;
    const auto after = to_text(std::chrono::duration_cast<Duration>(context.now - (again ? since : began_)));
    tell_health((again ? "; healthy again after " : ", healthy after ") + after, context);
}

/// The cause says why it runs, and then how it is.
void Instance::tell_health(std::string how, Context& context) {
    auto& told = health_->told;
    if (!told.empty() && cause_.ends_with(told)) cause_.resize(cause_.size() - told.size());
    told = std::move(how);
    cause_ += told;
    note(state_, context);
}

/// As a restart, but that what went wrong before is not forgotten, and in a budget of its own; of several instances, which are often
/// unhealthy for the same reason, one at a time.
void Instance::unhealthy(Context& context) {
    const auto& health = spec_->health;
    auto cause = unhealthy_text();
    const auto* other = context.gate.mended_beside(*this);
    health_->waits = other != nullptr && health.action == Health::Action::Restart;
    if (health_->waits) {
        cause += "; its restart waits for that of " + other->name().instance;
    } else if (health.action == Health::Action::Restart) {
        if (health_->restarts.admit(health.restart_limit, context.now)) {
            starts_again_ = true;
            health_->mended = true;
            begin_stop(cause, context);
            // What follows tells it as something that is over.
            if (!stop_held_) pending_cause_ = "restarted because it was " + cause;
            return;
        }
        cause += "; restart_limit (" + to_text(health.restart_limit) + ") reached, it runs on";
        arm_until(TimerKind::HealthRestart, health_->restarts.admits_at(health.restart_limit, context.now), context);
    }
    tell_health("; " + cause, context);
}

/// Timers are disarmed with each change of state.
void Instance::go_on_watching(Context& context) {
    watch_health(context);
    if (!is_watched() || !health_ || health_->state.verdict != HealthVerdict::Unhealthy) return;
    const auto& health = spec_->health;
    if (health.action != Health::Action::Restart) return;
    arm_until(TimerKind::HealthRestart, health_->restarts.admits_at(health.restart_limit, context.now), context);
}

void Instance::on(const MayBeMended&, Context& context) {
    if (!waits_to_be_mended()) return;
    const bool unwell = is_watched() && health_->state.verdict == HealthVerdict::Unhealthy;
    if (!unwell) {
        health_->waits = false;
    } else if (context.gate.mended_beside(*this) == nullptr) {
        unhealthy(context);
    }
}

void Instance::on(const HealthCheckRequested&, Context& context) {
    if (!is_watched()) return;
    auto& checks = health_watch().checks;
    // Who asks while one is made gets what that finds.
    if (checks.begun != checks.over) return;
    ++checks.begun;
    checks.words.clear();
    checks.said.clear();
    checks.healthy = true;
    checks.parts = (spec_->health.look.is_declared() ? 1 : 0) + (health_->usage ? 1 : 0);
    checks.measures = health_->usage.has_value();
    if (checks.measures) measure_usage(context);
    if (spec_->health.look.is_declared()) context.actions.push_back(SpawnBesideAction{SideRole::HealthCheck});
}

void Instance::health_check_over(bool healthy, const std::string& failure) {
    auto& checks = health_watch().checks;
    if (!healthy && checks.words.empty()) checks.words = failure;
    checks.healthy = checks.healthy && healthy;
    if (--checks.parts > 0) return;
    checks.over = checks.begun;
    if (!checks.healthy) return;
    checks.words.clear();
    checks.said.clear();
}

}  // namespace procsup
