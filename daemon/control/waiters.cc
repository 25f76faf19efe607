#include "daemon/control/waiters.h"

#include <algorithm>
#include <utility>

#include "daemon/control/instance_json.h"

namespace procsup {

Waiters::Target Waiters::target(InstanceId id, bool ends_present_run) const {
    const auto* instance = context_.supervisor.find(id);
    const bool ends_one = is_live(instance->state()) && (ends_present_run || instance->state() == State::Stopping);
    return {id, instance->runs_ended() + (ends_one ? 1 : 0), instance->name().instance};
}

void Waiters::add(varlink::PendingCall call, Goal goal, std::vector<Target> targets) {
    Waiter& waiter = waiters_.emplace_back(Waiter{call, goal, std::move(targets), {}, {}, false});
    for (const auto& target : waiter.targets) by_instance_.emplace(target.id, &waiter);
    if (const auto usec = call.parameters().int_or("timeoutUSec", -1); usec >= 0) {
        constexpr std::int64_t kLongest = 100LL * 365 * 86400 * 1'000'000;
        const auto when = context_.loop.now() + std::chrono::microseconds(std::min(usec, kLongest));
        waiter.timeout = context_.loop.call_at(when, [this, &waiter] {
            look_at(waiter);
            if (!waiter.answered) answer(waiter, true);
        });
    }
    call.when_gone([&waiter] { waiter.answered = true; });
    changed_.push_back(waiter.targets.front().id);
}

void Waiters::changed(InstanceId id) {
    if (!waiters_.empty()) changed_.push_back(id);
}

void Waiters::settle() {
    for (const auto id : std::exchange(changed_, {})) {
        const auto [first, last] = by_instance_.equal_range(id);
        for (auto entry = first; entry != last; ++entry) look_at(*entry->second);
    }
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

void Waiters::look_at(Waiter& waiter) {
    if (waiter.answered) return;
    TimePoint look_again;
    for (const auto& target : waiter.targets) {
        const auto verdict = judge(waiter.goal, target);
        if (verdict.settled) continue;
        if (verdict.look_again == TimePoint()) return;
        look_again = std::max(look_again, verdict.look_again);
    }
    if (look_again == TimePoint()) {
        answer(waiter, false);
        return;
    }
    waiter.look_again = context_.loop.call_at(look_again, [this, &waiter] { look_at(waiter); });
}

void Waiters::answer(Waiter& waiter, bool timed_out) {
    waiter.answered = true;
    json::Writer writer;
    writer.begin_object().key("outcomes").begin_array();
    for (const auto& target : waiter.targets) {
        const auto verdict = judge(waiter.goal, target);
        if (const auto* instance = context_.supervisor.find(target.id)) {
            const auto& cause = verdict.cause.empty() ? instance->cause() : verdict.cause;
            write_outcome(writer, *instance, verdict.settled && verdict.ok, cause);
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
    writer.member("message", "not all instances came so far in the time given; the order stands").end_object();
    waiter.call.fail_with(error_name(waiter.call, "TimedOut"), writer.text());
}

Waiters::Verdict Waiters::judge(Goal goal, const Target& target) const {
    const auto* instance = context_.supervisor.find(target.id);
    if (instance == nullptr) return {true, goal == Goal::Down || goal == Goal::Exit, {}, {}};
    const auto state = instance->state();
    const bool at_rest = !is_live(state) && state != State::Backoff;
    switch (goal) {
        case Goal::Up: return judge_up(*instance, target);
        case Goal::Down: return {at_rest, at_rest, {}, {}};
        case Goal::Ready: return {instance->ready() || state == State::Failed, instance->ready(), {}, {}};
        case Goal::Exit: {
            const bool ended = at_rest || state == State::Backoff || instance->runs_ended() > target.runs_ended;
            return {ended, ended, {}, {}};
        }
    }
    return {};
}

/// A run that ends before min_uptime is a failed start, also when its successor was started at once.
Waiters::Verdict Waiters::judge_up(const Instance& instance, const Target& target) const {
    const bool oneshot = instance.spec().type == JobType::Oneshot;
    if (instance.runs_ended() > target.runs_ended) {
        const bool done = oneshot && instance.state() == State::Exited;
        return {true, done, {}, instance.cause()};
    }
    switch (instance.state()) {
        case State::Starting:
        case State::Stopping: return {};
        case State::Running: {
            if (oneshot) return {};
            const auto proven = instance.since() + instance.spec().restart.min_uptime;
            if (context_.loop.now() >= proven) return {true, true, {}, {}};
            return {false, false, proven, {}};
        }
        case State::Exited: return {true, oneshot, {}, {}};
        case State::Stopped:
        case State::Backoff:
        case State::Failed: return {true, false, {}, {}};
    }
    return {};
}

}  // namespace procsup
