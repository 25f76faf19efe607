#include "daemon/control/health.h"

#include <utility>

namespace procsup {
namespace {

std::string_view word_of(HealthVerdict verdict) {
    switch (verdict) {
        case HealthVerdict::Unknown: return "unknown";
        case HealthVerdict::Healthy: return "healthy";
        case HealthVerdict::Unhealthy: return "unhealthy";
    }
    return "unknown";
}

/// Why it cannot be looked at; empty: it can.
std::string_view refusal(const Instance& instance) {
    if (!instance.spec().health.is_declared()) return "it has no [health] that says where to look";
    if (instance.state() == State::Paused) return "it is paused; resume it first";
    return instance.health() == nullptr ? "only the health of what is ready can be looked at" : "";
}

/// What was met, and what the command that looks has written; both as the probe tells them.
std::string with_output(const std::string& words, const std::string& said) {
    return said.empty() ? words : words + ": " + said;
}

}  // namespace

void check_health(const ControlContext& context, Waiters& waiters, varlink::PendingCall call) {
    if (!has_valid_timeout(call)) return;
    const auto ids = selected(context, call);
    if (!ids) return;
    std::vector<Waiters::Target> targets;
    for (const auto id : *ids) {
        const auto& instance = *context.supervisor.find(id);
        Waiters::Target target{id, instance.runs_ended(), instance.name().instance};
        target.cause = refusal(instance);
        target.ok = target.cause.empty();
        if (target.ok) target.number = context.supervisor.check_health(id, context.loop.now());
        targets.push_back(std::move(target));
    }
    waiters.add(call, Goal::Checked, std::move(targets));
}

std::string checked_text(const Instance& instance) {
    const auto& checks = instance.health_checks();
    if (checks.healthy) return "healthy: " + expand_job(to_text(instance.spec().health), instance.name());
    return "unhealthy: " + with_output(checks.words, checks.said);
}

void write_health(json::Writer& writer, const Instance& instance, const HostPort& host, TimePoint now, Sees sees) {
    const auto* state = instance.health();
    if (state == nullptr) return;
    writer.member("health", word_of(state->verdict));
    if (state->since != TimePoint()) writer.member_int("healthSinceUSec", wall_usec(host, state->since));
    if (!state->words.empty()) {
        const bool all = sees == Sees::Output;
        writer.member("healthProblem", all ? with_output(state->words, state->said) : state->words);
    }
    if (const auto restarts = instance.health_restarts(now); restarts > 0)
        writer.member_int("healthRestarts", restarts);
    if (const auto due = instance.health_restart_due(); due != kNever)
        writer.member_int("healthRestartDueUSec", wall_usec(host, due));
}

}  // namespace procsup
