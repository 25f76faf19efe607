#include "daemon/control/instance_json.h"

#include "common/signal_name.h"
#include "conf/expand.h"
#include "conf/job_difference.h"
#include "daemon/control/health.h"

namespace procsup {
namespace {

void write_pid(json::Writer& writer, pid_t pid) {
    if (pid > 0) {
        writer.member_int("pid", pid);
    } else {
        writer.member_null("pid");
    }
}

void write_not_enforced(json::Writer& writer, const std::vector<Shortfall>& list) {
    if (list.empty()) return;
    writer.key("notEnforced").begin_array();
    for (const auto& shortfall : list) {
        writer.begin_object().member("key", key_path(shortfall.key)).member("value", shortfall.value);
        writer.member("reason", shortfall.reason).end_object();
    }
    writer.end_array();
}

/// How many instances the job's file says, where it has another number.
void write_scaling(json::Writer& writer, const Supervisor& supervisor, const Instance& instance) {
    const auto job = supervisor.jobs().find(instance.name().job);
    if (job == supervisor.jobs().end() || !job->second.scaled) return;
    writer.member_int("fileInstances", static_cast<std::int64_t>(written_instances(*job->second.spec)));
    writer.member_int("scaledInstances", *job->second.scaled);
}

}  // namespace

std::int64_t wall_usec(const HostPort& host, TimePoint when) { return host.wall_time(when).time_since_epoch().count(); }

const EndedRun* last_run(const Instance& instance) {
    // A run that never executed its program leaves the record of the one before.
    if (instance.start_failure().stage != SpawnStage::None || !instance.last_run()) return nullptr;
    return &*instance.last_run();
}

void write_exit(json::Writer& writer, const EndedRun* run) {
    if (run == nullptr) {
        writer.member_null("exitCode").member_null("exitSignal");
    } else if (run->status.by_signal()) {
        writer.member_null("exitCode").member("exitSignal", signal_name(run->status.value));
    } else {
        writer.member_int("exitCode", run->status.value).member_null("exitSignal");
    }
}

void write_former_mains(json::Writer& writer, const Account& account) {
    if (account.former_mains.count == 0) return;
    writer.member_int("formerMains", static_cast<std::int64_t>(account.former_mains.count));
    writer.member_int("formerMainsCpuUSec", account.former_mains.cpu.count());
}

void write_run(json::Writer& writer, std::string_view name, const EndedRun* run, const HostPort& host) {
    if (run == nullptr) return;
    const auto& orphans = run->account.orphans;
    // Of one look at the wall clock, so that their difference is how long it took.
    const auto ended = wall_usec(host, run->when);
    const auto lasted = std::chrono::duration_cast<Duration>(run->when - run->began);
    writer.key(name).begin_object().member_int("pid", run->pid);
    writer.member_int("startedUSec", ended - lasted.count()).member_int("endedUSec", ended);
    write_exit(writer, run);
    writer.member_int("cpuUSec", run->account.main_cpu.count());
    writer.member_int("orphans", static_cast<std::int64_t>(orphans.count));
    writer.member_int("orphansCpuUSec", orphans.cpu.count());
    write_former_mains(writer, run->account);
    if (run->account.oom.count > 0) writer.member_bool("oomKilled", run->out_of_memory);
    writer.end_object();
}

void write_changed_keys(json::Writer& writer, const Instance& instance) {
    const bool runs = instance.state() == State::Starting || is_executing(instance.state());
    if (!runs || &instance.spec() == &instance.next_spec()) return;
    const auto changed = difference(instance.spec(), instance.next_spec());
    if (changed.empty()) return;
    writer.key("changedKeys").begin_array();
    for (const auto& key : changed.at_start) writer.string(key);
    for (const auto& key : changed.live) writer.string(key);
    writer.end_array();
}

void write_stopping(json::Writer& writer, const Instance& instance, const HostPort& host) {
    if (const auto due = instance.kill_due(); due != kNever) writer.member_int("killDueUSec", wall_usec(host, due));
    if (instance.starts_again()) writer.member_bool("startsAgain", true);
    if (instance.left()) writer.member_bool("leaves", true);
}

void write_connections(json::Writer& writer, const Supervisor& supervisor, const Instance& instance) {
    if (instance.spec().serves_connection()) writer.member_bool("serves", true);
    if (!instance.spec().accepts()) return;
    const auto count = supervisor.connections_of(instance);
    writer.member_int("connections", static_cast<std::int64_t>(count.served));
    writer.member_int("connectionsBegun", static_cast<std::int64_t>(count.begun));
    writer.member_int("maxConnections", instance.spec().max_connections());
}

void write_usage(json::Writer& writer, const TreeUsage& usage) {
    const auto number = [&](const char* name, const std::optional<std::uint64_t>& value) {
        if (value) writer.member_int(name, static_cast<std::int64_t>(*value));
    };
    if (usage.cpu) writer.member_int("cpuUSec", usage.cpu->count());
    number("memory", usage.memory);
    number("memoryPeak", usage.memory_peak);
    number("tasks", usage.tasks);
}

void write_awaits(json::Writer& writer, const Instance& instance, Sees sees) {
    if (instance.says_it_reloads()) writer.member("awaits", "READY=1, which is to follow RELOADING=1");
    if (!instance.awaits_readiness()) return;
    writer.member("awaits", sees == Sees::Output ? instance.awaited_with_output() : instance.awaited());
}

void write_instance(json::Writer& writer, const ControlContext& context, const Instance& instance, const Usages& usages,
                    Told told) {
    const auto& host = context.host;
    const auto& spec = instance.spec();
    writer.begin_object();
    writer.member("name", instance.name().instance).member("job", instance.name().job);
    writer.member("state", to_text(instance.state())).member_bool("ready", instance.ready());
    write_awaits(writer, instance, told.sees);
    if (const auto due = instance.ready_due(); due != kNever) writer.member_int("readyDueUSec", wall_usec(host, due));
    write_stopping(writer, instance, host);
    write_connections(writer, context.supervisor, instance);
    if (!instance.status_text().empty()) writer.member("statusText", instance.status_text());
    if (instance.watchdog() != kForever) {
        writer.member_int("watchdogUSec", instance.watchdog().count());
        writer.member_int("signOfLifeUSec", wall_usec(host, instance.sign_of_life()));
    }
    if (instance.watchdog_off()) writer.member_bool("watchdogOff", true);
    write_health(writer, instance, host, context.loop.now(), told.sees);
    write_pid(writer, instance.pid());
    writer.member_int("restarts", instance.restarts());
    writer.member_int("sinceUSec", wall_usec(host, instance.since()));
    if (instance.state_since() != instance.since()) {
        writer.member_int("stateSinceUSec", wall_usec(host, instance.state_since()));
    }
    if (instance.tells_of_later()) writer.member("startCause", instance.start_cause());
    write_exit(writer, last_run(instance));
    write_run(writer, "lastRun", last_run(instance), host);
    writer.member("cause", instance.cause());
    write_scaling(writer, context.supervisor, instance);
    const auto next =
        instance.state() == State::Backoff ? instance.next_start() : context.supervisor.next_run(instance);
    if (next != kNever) {
        writer.member_int("nextStartUSec", wall_usec(host, next));
    } else {
        writer.member_null("nextStartUSec");
    }
    if (const auto output = host.captured_output(instance.id()); !output.problem.empty())
        writer.member("outputProblem", output.problem);
    if (told.changes) write_changed_keys(writer, instance);
    write_not_enforced(writer, host.not_enforced(spec));
    if (const auto usage = usages.find(instance.id()); usage != usages.end()) write_usage(writer, usage->second);
    if (!spec.description.empty()) writer.member("description", spec.description);
    if (spec.owner) writer.member("owner", std::to_string(*spec.owner));
    if (!spec.membership.group.empty()) writer.member("group", spec.membership.group);
    writer.key("tags").begin_array();
    for (const auto& tag : spec.tags) writer.string(tag);
    writer.end_array().end_object();
}

void write_outcome(json::Writer& writer, const Instance& instance, bool ok, std::string_view cause,
                   const OutcomeDetails& details) {
    writer.begin_object();
    writer.member("name", instance.name().instance).member("state", to_text(instance.state())).member_bool("ok", ok);
    if (details.refused) writer.member_bool("refused", true);
    write_pid(writer, details.command != nullptr ? details.command->pid : instance.pid());
    if (details.command != nullptr) writer.member("command", to_text(details.command->role));
    write_exit(writer, last_run(instance));
    if (details.run_seen_by != nullptr) write_run(writer, "lastRun", last_run(instance), *details.run_seen_by);
    if (!details.missing.empty()) writer.member("missing", details.missing);
    writer.member("cause", cause).end_object();
}

}  // namespace procsup
