#include "daemon/control/waiters.h"

#include <algorithm>
#include <utility>

#include "daemon/control/health.h"
#include "daemon/control/instance_json.h"
#include "daemon/control/missing.h"

namespace procsup {

Waiters::Target Waiters::target(InstanceId id, bool ends_present_run) const {
    const auto* instance = context_.supervisor.find(id);
    const bool ends_one = ends_present_run || instance->state() == State::Stopping;
    const auto runs_ended = ends_one ? instance->runs_ended_with_this() : instance->runs_ended();
    Target target{id, runs_ended, instance->name().instance};
    target.failed_undos = instance->failed_undos().count;
    return target;
}

void Waiters::add(varlink::PendingCall call, Goal goal, std::vector<Target> targets) {
    Waiter& waiter = waiters_.emplace_back(Waiter{call, goal, std::move(targets), 0, {}, {}, {}, false});
    for (const auto& target : waiter.targets) by_instance_.emplace(target.id, &waiter);
    look_at(waiter);
    if (waiter.answered) return;
    if (const auto usec = call.parameters().int_or("timeoutUSec", -1); usec >= 0) {
        constexpr std::int64_t kLongest = 100LL * 365 * 86400 * 1'000'000;
        const auto when = context_.loop.now() + std::chrono::microseconds(std::min(usec, kLongest));
        waiter.timeout = context_.loop.call_at(when, [this, &waiter] {
            look_at(waiter);
            if (!waiter.answered) answer(waiter, true);
        });
    }
    call.when_gone([this, &waiter] { waiter.answered = some_answered_ = true; });
}

void Waiters::changed(InstanceId id) {
    if (by_instance_.contains(id)) changed_.push_back(id);
}

void Waiters::configured() {
    for (auto& waiter : waiters_) look_at(waiter);
}

void Waiters::settle() {
    for (const auto id : std::exchange(changed_, {})) {
        const auto [first, last] = by_instance_.equal_range(id);
        for (auto entry = first; entry != last; ++entry) look_at(*entry->second);
    }
    if (!std::exchange(some_answered_, false)) return;
    // Not while they are looked at: their watches may be what runs.
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
        if (!waiter->answered) {
            ++waiter;
            continue;
        }
        forget(*waiter);
        waiter = waiters_.erase(waiter);
    }
}

void Waiters::forget(Waiter& waiter) {
    for (const auto& target : waiter.targets) {
        const auto [first, last] = by_instance_.equal_range(target.id);
        for (auto entry = first; entry != last; ++entry) {
            if (entry->second != &waiter) continue;
            by_instance_.erase(entry);
            break;
        }
    }
}

/// Each change costs no more than the targets it lets pass, so that an order to thousands is not looked through
/// thousands of times. In the end all are looked at together: one that had settled may have changed since.
void Waiters::look_at(Waiter& waiter) {
    if (waiter.answered) return;
    for (bool all_anew = false; !all_anew; waiter.first_open = 0) {
        all_anew = waiter.first_open == 0;
        for (; waiter.first_open < waiter.targets.size(); ++waiter.first_open) {
            const auto verdict = judge(waiter.goal, waiter.targets[waiter.first_open]);
            if (!verdict.settled) return look_again(waiter, verdict.look_again);
        }
    }
    answer(waiter, false);
}

void Waiters::look_again(Waiter& waiter, TimePoint when) {
    if (waiter.look_again_at == when) return;
    waiter.look_again_at = when;
    if (when == TimePoint()) {
        waiter.look_again.reset();
        return;
    }
    waiter.look_again = context_.loop.call_at(when, [this, &waiter] {
        waiter.look_again_at = TimePoint();
        look_at(waiter);
    });
}

void Waiters::answer(Waiter& waiter, bool timed_out) {
    waiter.answered = some_answered_ = true;
    json::Writer writer;
    writer.begin_object().key("outcomes").begin_array();
    for (const auto& target : waiter.targets) {
        const auto verdict = judge(waiter.goal, target);
        if (const auto* instance = context_.supervisor.find(target.id)) {
            const auto& cause = verdict.cause.empty() ? instance->cause() : verdict.cause;
            OutcomeDetails details;
            if (!verdict.settled) details.missing = missing(waiter.goal, *instance, context_.loop.now());
            details.refused = verdict.refused;
            if (waiter.goal == Goal::Exit) details.run_seen_by = &context_.host;
            write_outcome(writer, *instance, verdict.settled && verdict.ok, cause, details);
        } else {
            writer.begin_object().member("name", target.name).member("state", "stopped");
            writer.member_bool("ok", verdict.ok).member("cause", "no longer configured").end_object();
        }
    }
    writer.end_array();
    if (!timed_out) {
        waiter.call.reply(writer.end_object().text());
        return;
    }
    const bool ordered = waiter.call.call().method_name() != "Wait";
    const std::string late = "not all instances came so far in the time given";
    writer.member("message", ordered ? late + "; the order stands" : late).end_object();
    waiter.call.fail_with(error_name(waiter.call, "TimedOut"), writer.text());
}

Waiters::Verdict Waiters::judge(Goal goal, const Target& target) const {
    const auto* instance = context_.supervisor.find(target.id);
    if (instance == nullptr) {
        return {true, goal == Goal::Down || goal == Goal::Stopped || goal == Goal::Exit, {}, {}};
    }
    const auto state = instance->state();
    const bool at_rest = !is_live(state) && state != State::Backoff;
    switch (goal) {
        case Goal::Up: return judge_up(*instance, target);
        case Goal::Reloaded: return judge_reload(*instance, target);
        case Goal::Checked: return judge_check(*instance, target);
        case Goal::Healthy: return judge_healthy(*instance);
        case Goal::Down: return judge_down(*instance, target);
        case Goal::Stopped: return {is_down(*instance), is_down(*instance), {}, {}};
        case Goal::Ready: {
            const bool left = at_rest && !is_configured(*instance);
            const bool works = instance->ready() && state != State::Paused;
            return {works || state == State::Failed || left, works, {}, left ? "no longer configured" : ""};
        }
        case Goal::Exit: {
            const bool ended = at_rest || state == State::Backoff || instance->runs_ended() > target.runs_ended;
            return {ended, ended, {}, {}};
        }
    }
    return {};
}

Waiters::Verdict Waiters::judge_down(const Instance& instance, const Target& target) const {
    if (instance.wanted()) return {true, false, {}, "it was started again: " + instance.cause()};
    if (!is_down(instance)) return {};
    if (instance.failed_undos().count == target.failed_undos) return {true, true, {}, {}};
    return {true, false, {}, "its " + instance.failed_undos().last};
}

/// A oneshot that has ended well is up; only a command that was run once is never taken down.
bool Waiters::is_down(const Instance& instance) const {
    if (is_live(instance.state()) || instance.state() == State::Backoff) return false;
    const auto job = context_.supervisor.jobs().find(instance.name().job);
    return !instance.ready() || (job != context_.supervisor.jobs().end() && job->second.transient);
}

Waiters::Verdict Waiters::judge_reload(const Instance& instance, const Target& target) {
    if (target.number == 0) return {true, target.ok, {}, target.cause, !target.ok};
    const auto& reloads = instance.reloads();
    if (reloads.over >= target.number) return {true, reloads.failure.empty(), {}, reloads.text()};
    const bool ended = instance.runs_ended() > target.runs_ended || !is_live(instance.state());
    if (!ended) return {false, false, {}, "reload_command is still run"};
    return {true, false, {}, "reload_command was not over when its run was: " + instance.cause()};
}

Waiters::Verdict Waiters::judge_check(const Instance& instance, const Target& target) {
    if (target.number == 0) return {true, target.ok, {}, target.cause, !target.ok};
    const auto checks = instance.health_checks();
    if (checks.over >= target.number) return {true, checks.healthy, {}, checked_text(instance)};
    return {false, false, {}, "its health is still looked at"};
}

Waiters::Verdict Waiters::judge_healthy(const Instance& instance) const {
    if (!instance.next_spec().health.is_declared())
        return {true, false, {}, "it has no [health] that says when it is", true};
    if (instance.healthy()) return {true, true, {}, "healthy"};
    const bool left = is_settled(instance.state()) && !is_configured(instance);
    return {instance.state() == State::Failed || left, false, {}, left ? "no longer configured" : ""};
}

bool Waiters::is_configured(const Instance& instance) const {
    const auto job = context_.supervisor.jobs().find(instance.name().job);
    if (job == context_.supervisor.jobs().end() || job->second.leaving) return false;
    const auto is_it = [&](const auto& other) { return other.get() == &instance; };
    return std::any_of(job->second.instances.begin(), job->second.instances.end(), is_it);
}

/// A run that ends before it is ready, or before min_uptime where that is not known, is a failed start, also when its successor was
/// started at once.
Waiters::Verdict Waiters::judge_up(const Instance& instance, const Target& target) const {
    if (instance.left()) return {true, false, {}, std::string(kLeft), true};
    if (instance.spec().serves_connection()) return {true, false, {}, std::string(kServes), true};
    const bool ends = instance.spec().ends_by_itself();
    if (instance.runs_ended() > target.runs_ended) {
        const bool done = ends && instance.state() == State::Exited;
        return {true, done, {}, instance.cause()};
    }
    switch (instance.state()) {
        case State::Waiting: {
            // The parent of a daemon is not started for it.
            const auto* parent = context_.supervisor.parent_of(instance.id());
            return {parent != nullptr && is_settled(parent->state()), false, {}, {}};
        }
        case State::Paused: return {true, false, {}, "it is paused; resume it first", true};
        case State::Starting:
        case State::Stopping: return {};
        case State::Running:
        case State::Reloading: {
            if (ends) return {};
            const auto proven = instance.proven_at();
            if (proven == kNever) return {};
            if (context_.loop.now() >= proven) return {true, true, {}, {}};
            return {false, false, proven, {}};
        }
        case State::Listening: return {true, true, {}, {}};
        case State::Exited: return {true, ends, {}, {}};
        case State::Stopped:
        case State::Backoff:
        case State::Failed: return {true, false, {}, {}};
    }
    return {};
}

}  // namespace procsup
