// Rolling restarts: of several instances of a job, only one at a time is down.
#include "daemon/engine/rolling.h"

#include <algorithm>
#include <utility>

#include "conf/job_text.h"
#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

RollVerdict failed(std::string why) { return {RollVerdict::Kind::Failed, kNever, std::move(why)}; }

/// "killed by SIGSEGV; it is started again" where the state's cause says what its present run was started after.
std::string end_text(const Instance& instance) {
    constexpr std::string_view kRestarted = "restarted after ";
    const auto& cause = instance.cause();
    if (!cause.starts_with(kRestarted)) return cause;
    return cause.substr(kRestarted.size()) + "; it is started again";
}

}  // namespace

RollVerdict judge_roll(const Instance& instance, std::uint64_t runs_ended, const Instance* parent, TimePoint now) {
    if (instance.runs_ended() > runs_ended) return failed("it has ended: " + end_text(instance));
    if (!instance.wanted()) return failed("it was told to stop: " + instance.cause());
    switch (instance.state()) {
        case State::Waiting:
            // The parent of a daemon is not started for it.
            if (parent != nullptr && is_settled(parent->state())) return failed("it " + instance.cause());
            return {};
        case State::Starting:
        case State::Stopping: return {};
        case State::Running:
        case State::Reloading: {
            const auto when = instance.proven_at();
            if (when <= now) return {RollVerdict::Kind::Up, kNever, {}};
            return {RollVerdict::Kind::Wait, when, {}};
        }
        case State::Listening: return {RollVerdict::Kind::Up, kNever, {}};
        case State::Paused: return failed("it was paused: " + instance.cause());
        case State::Backoff:
        case State::Stopped:
        case State::Exited:
        case State::Failed: return failed(instance.cause());
    }
    return {};
}

Result<void> Supervisor::roll(const std::string& name, std::string cause, TimePoint now, OnBehalf whom) {
    const auto found = jobs_.find(name);
    const auto cannot = [&](const std::string& why) {
        return Error{"cannot restart '" + name + "' one by one: " + why};
    };
    if (found == jobs_.end() || found->second.leaving) return cannot("there is no such job");
    const Job& job = found->second;
    if (rolls_.contains(name)) return cannot("that is already under way");
    if (job.transient) return cannot("it is a command that runs once");
    if (job.spec->ends_by_itself())
        return cannot("it is a " + std::string(word_of(job.spec->type)) + ", which does not go on running");
    if (shutting_down_) return cannot("procsupd is ending");
    for (const auto& instance : job.instances) {
        if (!instance->wanted()) return cannot(instance->name().instance + " is stopped; start it first");
    }
    Roll roll{std::move(cause), whom, {}};
    // Those first with which nothing is lost: when one of them cannot be started, the others stay as they are.
    for (const bool ready : {false, true}) {
        for (const auto& instance : job.instances) {
            if (instance->ready() == ready) roll.left.push_back(instance->id());
        }
    }
    rolls_.emplace(name, std::move(roll));
    carry_on_roll(name, now);
    return {};
}

void Supervisor::settle_roll(const Instance& changed, TimePoint now) {
    if (!rolls_.empty() && rolls_.contains(changed.name().job)) carry_on_roll(changed.name().job, now);
}

/// Instances may have left.
void Supervisor::carry_on_rolls(TimePoint now) {
    std::vector<std::string> names;
    for (const auto& [name, roll] : rolls_) names.push_back(name);
    for (const auto& name : names) carry_on_roll(name, now);
}

void Supervisor::roll_timer_fired(InstanceId id, std::uint32_t generation, TimePoint now) {
    for (auto& [name, roll] : rolls_) {
        if (roll.current != id || roll.timer != generation) continue;
        roll.timer = 0;
        return carry_on_roll(std::string(name), now);
    }
}

void Supervisor::carry_on_roll(const std::string& name, TimePoint now) {
    rolls_due_.insert(name);
    // A restart below comes back here.
    if (rolling_) return;
    rolling_ = true;
    while (!rolls_due_.empty()) {
        const auto due = rolls_due_.extract(rolls_due_.begin());
        while (roll_step(due.value(), now)) continue;
    }
    rolling_ = false;
}

/// Whether there is more to do at once.
bool Supervisor::roll_step(const std::string& name, TimePoint now) {
    const auto found = rolls_.find(name);
    if (found == rolls_.end()) return false;
    Roll& roll = found->second;
    const auto job = jobs_.find(name);
    if (job == jobs_.end() || job->second.leaving) {
        end_roll(name, {}, "the job is no longer configured", now);
        return false;
    }
    if (roll.current != 0) return judge_current(name, roll, now);
    if (roll.left.empty()) {
        end_roll(name, {}, {}, now);
        return false;
    }
    return take_next(job->second, roll, now);
}

bool Supervisor::take_next(const Job& job, Roll& roll, TimePoint now) {
    const auto& name = job.spec->name;
    const auto* next = find(roll.left.front());
    const bool gone = next == nullptr || next->left();
    for (const auto& other : job.instances) {
        if (gone || !next->ready() || other->id() == next->id() || other->ready()) continue;
        const auto verdict = judge_roll(*other, other->runs_ended(), parent_of(other->id()), now);
        if (verdict.kind == RollVerdict::Kind::Failed) {
            end_roll(name, other->name().instance, "it is not ready: " + verdict.why, now);
        }
        return false;
    }
    if (!gone && !next->wanted()) {
        end_roll(name, next->name().instance, "it was told to stop: " + next->cause(), now);
        return false;
    }
    roll.left.erase(roll.left.begin());
    if (gone) return true;
    roll.current = next->id();
    roll.runs_ended = next->runs_ended_with_this();
    restart(std::vector{roll.current}, roll.cause, now, roll.whom);
    return true;
}

bool Supervisor::judge_current(const std::string& name, Roll& roll, TimePoint now) {
    const auto* instance = find(roll.current);
    const bool gone = instance == nullptr || instance->left();
    auto verdict = gone ? RollVerdict{RollVerdict::Kind::Up, kNever, {}}
                        : judge_roll(*instance, roll.runs_ended, parent_of(roll.current), now);
    const bool waits = verdict.kind == RollVerdict::Kind::Wait && verdict.look_again != kNever;
    if (waits && roll.timer == 0) {
        if (++roll_generation_ == 0) ++roll_generation_;
        roll.timer = roll_generation_;
        timers_.arm(roll.current, TimerKind::RollStep, roll.timer, verdict.look_again);
    } else if (!waits && std::exchange(roll.timer, 0) != 0) {
        timers_.disarm(roll.current, TimerKind::RollStep);
    }
    switch (verdict.kind) {
        case RollVerdict::Kind::Wait: return false;
        case RollVerdict::Kind::Failed: end_roll(name, instance->name().instance, verdict.why, now); return false;
        case RollVerdict::Kind::Up: break;
    }
    roll.current = 0;
    if (!gone) {
        announcer_.roll({RollNews::Kind::Up, name, instance->id(), instance->name().instance, {}, {}});
    }
    return true;
}

/// `why` is empty when all has been done.
void Supervisor::end_roll(const std::string& name, std::string_view instance, std::string_view why, TimePoint now) {
    auto ended = rolls_.extract(name);
    const Roll& roll = ended.mapped();
    if (roll.timer != 0) timers_.disarm(roll.current, TimerKind::RollStep);
    std::vector<std::string> untouched;
    for (const auto id : roll.left) {
        const auto* one = find(id);
        if (one != nullptr && !one->left()) untouched.push_back(one->name().instance);
    }
    const auto kind = why.empty() ? RollNews::Kind::Done : RollNews::Kind::Failed;
    announcer_.roll({kind, name, 0, instance, why, untouched});
    if (const auto job = jobs_.find(name); job != jobs_.end()) recycle_one_of(job->second, now);
}

void Supervisor::end_rolls(std::string_view why, TimePoint now) {
    while (!rolls_.empty()) end_roll(std::string(rolls_.begin()->first), {}, why, now);
}

}  // namespace procsup
