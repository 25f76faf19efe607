#pragma once

#include <type_traits>

#include "conf/load.h"

/// What crosses the pipe between the load process and the daemon: the members of each structure, said once for both
/// directions. Known only to load_result.cc. A third argument of field() is the value that is left out.
namespace procsup::wire {

/// A time zone: its changes and the offsets from UTC since each of them, in seconds.
struct ZoneText {
    std::string name;
    std::int64_t first_offset = 0;
    std::vector<std::int64_t> changes, offsets;
};

// The largest enumerator of each enumeration that crosses the pipe.
constexpr std::int64_t last_of(JobType) { return static_cast<std::int64_t>(JobType::Task); }
constexpr std::int64_t last_of(Restart) { return static_cast<std::int64_t>(Restart::UnlessStopped); }
constexpr std::int64_t last_of(StopScope) { return static_cast<std::int64_t>(StopScope::Main); }
constexpr std::int64_t last_of(SignalTo) { return static_cast<std::int64_t>(SignalTo::All); }
constexpr std::int64_t last_of(Orphans) { return static_cast<std::int64_t>(Orphans::Ignore); }
constexpr std::int64_t last_of(OnParentRestart) { return static_cast<std::int64_t>(OnParentRestart::Keep); }
constexpr std::int64_t last_of(Requirement::Condition) {
    return static_cast<std::int64_t>(Requirement::Condition::Exited);
}
constexpr std::int64_t last_of(Requirement::OnRestart) {
    return static_cast<std::int64_t>(Requirement::OnRestart::Signal);
}
constexpr std::int64_t last_of(Readiness::Kind) { return static_cast<std::int64_t>(Readiness::Kind::File); }
constexpr std::int64_t last_of(Schedule::Overlap) { return static_cast<std::int64_t>(Schedule::Overlap::Replace); }
constexpr std::int64_t last_of(Schedule::Missed) { return static_cast<std::int64_t>(Schedule::Missed::Skip); }
constexpr std::int64_t last_of(Health::Action) { return static_cast<std::int64_t>(Health::Action::None); }
constexpr std::int64_t last_of(Membership::Strategy) {
    return static_cast<std::int64_t>(Membership::Strategy::RestForOne);
}
constexpr std::int64_t last_of(Membership::OnExhausted) {
    return static_cast<std::int64_t>(Membership::OnExhausted::Shutdown);
}
constexpr std::int64_t last_of(Hook) { return static_cast<std::int64_t>(Hook::OnFailed); }
constexpr std::int64_t last_of(OnExhausted) { return static_cast<std::int64_t>(OnExhausted::Exit); }
constexpr std::int64_t last_of(Stream::Kind) { return static_cast<std::int64_t>(Stream::Kind::Connection); }
constexpr std::int64_t last_of(JobDir::Kind) { return static_cast<std::int64_t>(JobDir::Kind::Log); }
constexpr std::int64_t last_of(TreeLimit::Kind) { return static_cast<std::int64_t>(TreeLimit::Kind::IoWeight); }
constexpr std::int64_t last_of(LogFormat) { return static_cast<std::int64_t>(LogFormat::Json); }
constexpr std::int64_t last_of(Compress) { return static_cast<std::int64_t>(Compress::None); }
constexpr std::int64_t last_of(OnFull) { return static_cast<std::int64_t>(OnFull::DropOldest); }
constexpr std::int64_t last_of(Scheduling::Policy) { return static_cast<std::int64_t>(Scheduling::Policy::Rr); }
constexpr std::int64_t last_of(IoPriority::Class) { return static_cast<std::int64_t>(IoPriority::Class::Idle); }
constexpr std::int64_t last_of(OnCrash) { return static_cast<std::int64_t>(OnCrash::Stop); }
constexpr std::int64_t last_of(ContainmentMode) { return static_cast<std::int64_t>(ContainmentMode::Group); }
constexpr std::int64_t last_of(LogLevel) { return static_cast<std::int64_t>(LogLevel::Error); }

// What each structure consists of, said once for both directions.
template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, ExitSet> {
    archive.field("codes", value.codes);
    archive.field("signals", value.signals);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, RateLimit> {
    archive.field("count", value.count);
    archive.field("window", value.window);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Requirement> {
    archive.field("job", value.job);
    archive.field("condition", value.condition, Requirement().condition);
    archive.field("onRestart", value.on_restart, Requirement().on_restart);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Dependencies> {
    archive.field("after", value.after);
    archive.field("before", value.before);
    archive.field("wants", value.wants);
    archive.field("requires", value.requirements);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Stream> {
    archive.field("kind", value.kind);
    archive.field("path", value.path);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, LogPolicy> {
    archive.field("format", value.format);
    archive.field("dir", value.dir);
    archive.field("maxSize", value.max_size);
    archive.field("maxAge", value.max_age);
    archive.field("keep", value.keep);
    archive.field("totalSize", value.total_size);
    archive.field("compress", value.compress);
    archive.field("onFull", value.on_full);
    archive.field("rateLimit", value.rate_limit);
    archive.field("mirror", value.mirror);
    archive.field("sync", value.sync);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Identity> {
    archive.field("uid", value.uid);
    archive.field("gid", value.gid);
    archive.field("groups", value.groups);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Privileges> {
    archive.field("capabilities", value.capabilities);
    archive.field("ambient", value.ambient);
    archive.field("noNewPrivileges", value.no_new_privileges);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, SandboxPath> {
    archive.field("path", value.path);
    archive.field("readOnly", value.read_only);
    archive.field("mayBeAbsent", value.may_be_absent);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Sandbox> {
    archive.field("privateTmp", value.private_tmp);
    archive.field("paths", value.paths);
    archive.field("strict", value.strict);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Credential> {
    archive.field("name", value.name);
    archive.field("path", value.path);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, JobDir> {
    archive.field("kind", value.kind);
    archive.field("base", value.base);
    archive.field("name", value.name);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, ListeningSocket> {
    archive.field("name", value.name);
    archive.field("listen", value.listen);
    archive.field("mode", value.mode);
    archive.field("uid", value.uid);
    archive.field("gid", value.gid);
    archive.field("accept", value.accept);
    archive.field("onDemand", value.on_demand);
    archive.field("maxConnections", value.max_connections);
    archive.field("idleTimeout", value.idle_timeout);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, StopStep> {
    archive.field("pause", value.pause);
    archive.field("signal", value.signal);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, JobCommand> {
    archive.field("argv", value.argv);
    archive.field("program", value.program);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, HookCommand> {
    archive.field("hook", value.hook);
    archive.field("command", value.command);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Readiness> {
    archive.field("kind", value.kind);
    archive.field("timeout", value.timeout);
    archive.field("interval", value.interval);
    archive.field("fd", value.fd);
    archive.field("target", value.target);
    archive.field("probe", value.probe);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Health> {
    archive.field("look", value.look);
    archive.field("failures", value.failures);
    archive.field("of", value.of);
    archive.field("successes", value.successes);
    archive.field("grace", value.grace);
    archive.field("action", value.action);
    archive.field("restartLimit", value.restart_limit);
    archive.field("memoryAbove", value.memory_above);
    archive.field("cpuAbove", value.cpu_above);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Cron> {
    archive.field("minutes", value.minutes);
    archive.field("hours", value.hours);
    archive.field("days", value.days);
    archive.field("months", value.months);
    archive.field("weekdays", value.weekdays);
    archive.field("eitherDay", value.either_day);
    archive.field("fixedTime", value.fixed_time);
}

// The zone is sent once for all that have it, and found again by its name.
template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Schedule> {
    archive.field("cron", value.cron);
    archive.field("moments", value.moments);
    archive.field("timezone", value.timezone);
    archive.field("interval", value.interval);
    archive.field("overlap", value.overlap);
    archive.field("missed", value.missed);
    archive.field("jitter", value.jitter);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, ZoneText> {
    archive.field("name", value.name);
    archive.field("firstOffset", value.first_offset);
    archive.field("changes", value.changes);
    archive.field("offsets", value.offsets);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, ResourceLimit> {
    archive.field("resource", value.resource);
    archive.field("soft", value.soft);
    archive.field("hard", value.hard);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, TreeLimit> {
    archive.field("kind", value.kind);
    archive.field("value", value.value);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Scheduling> {
    archive.field("policy", value.policy);
    archive.field("priority", value.priority);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, IoPriority> {
    archive.field("class", value.io_class);
    archive.field("level", value.level);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, RestartPolicy> {
    archive.field("when", value.when);
    archive.field("minUptime", value.min_uptime);
    archive.field("delay", value.delay);
    archive.field("backoff", value.backoff);
    archive.field("delayMax", value.delay_max);
    archive.field("jitter", value.jitter);
    archive.field("reset", value.reset);
    archive.field("startLimit", value.start_limit);
    archive.field("success", value.success);
    archive.field("prevent", value.prevent);
    archive.field("force", value.force);
    archive.field("onExhausted", value.on_exhausted);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Membership> {
    archive.field("group", value.group);
    archive.field("position", value.position);
    archive.field("strategy", value.strategy);
    archive.field("intensity", value.intensity);
    archive.field("onExhausted", value.on_exhausted);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, JobSpec> {
    static const JobSpec usual;
    archive.field("name", value.name);
    archive.field("description", value.description, usual.description);
    archive.field("origin", value.origin);
    archive.field("keyPlaces", value.key_places.text, usual.key_places.text);
    archive.field("command", value.command);
    archive.field("program", value.program, usual.program);
    archive.field("env", value.env, usual.env);
    archive.field("workingDir", value.working_dir, usual.working_dir);
    archive.field("umask", value.umask, usual.umask);
    archive.field("identity", value.identity, usual.identity);
    archive.field("privileges", value.privileges, usual.privileges);
    archive.field("sandbox", value.sandbox, usual.sandbox);
    archive.field("type", value.type, usual.type);
    archive.field("enabled", value.enabled, usual.enabled);
    archive.field("essential", value.essential, usual.essential);
    archive.field("manuallyStopped", value.manually_stopped, usual.manually_stopped);
    archive.field("instances", value.instances, usual.instances);
    archive.field("portBase", value.port_base, usual.port_base);
    archive.field("restart", value.restart, usual.restart);
    archive.field("startTimeout", value.start_timeout, usual.start_timeout);
    archive.field("stopTimeout", value.stop_timeout, usual.stop_timeout);
    archive.field("runTimeout", value.run_timeout, usual.run_timeout);
    archive.field("maxLifetime", value.max_lifetime, usual.max_lifetime);
    archive.field("maxLifetimeVariance", value.max_lifetime_variance, usual.max_lifetime_variance);
    archive.field("watchdog", value.watchdog, usual.watchdog);
    archive.field("watchdogSignal", value.watchdog_signal, usual.watchdog_signal);
    archive.field("stopSignal", value.stop_signal, usual.stop_signal);
    archive.field("stopSteps", value.stop_steps, usual.stop_steps);
    archive.field("stopScope", value.stop_scope, usual.stop_scope);
    archive.field("stopSignalTo", value.stop_signal_to, usual.stop_signal_to);
    archive.field("stopCommand", value.stop_command, usual.stop_command);
    archive.field("orphans", value.orphans, usual.orphans);
    archive.field("zombieLimit", value.zombie_limit, usual.zombie_limit);
    archive.field("zombieCheck", value.zombie_check, usual.zombie_check);
    archive.field("mayFork", value.may_fork, usual.may_fork);
    archive.field("daemonOf", value.daemon_of, usual.daemon_of);
    archive.field("onParentRestart", value.on_parent_restart, usual.on_parent_restart);
    archive.field("dependencies", value.dependencies, usual.dependencies);
    archive.field("readiness", value.readiness, usual.readiness);
    archive.field("health", value.health, usual.health);
    archive.field("membership", value.membership, usual.membership);
    archive.field("schedule", value.schedule, usual.schedule);
    archive.field("dealt", value.remembered.dealt, usual.remembered.dealt);
    archive.field("lastStarted", value.remembered.started_usec, usual.remembered.started_usec);
    archive.field("lastEnded", value.remembered.ended_usec, usual.remembered.ended_usec);
    archive.field("lastFailed", value.remembered.failed, usual.remembered.failed);
    archive.field("lastCause", value.remembered.cause, usual.remembered.cause);
    archive.field("reloadSignal", value.reload_signal, usual.reload_signal);
    archive.field("reloadCommand", value.reload_command, usual.reload_command);
    archive.field("hooks", value.hooks, usual.hooks);
    archive.field("stdin", value.stdin_stream, usual.stdin_stream);
    archive.field("stdout", value.stdout_stream, usual.stdout_stream);
    archive.field("stderr", value.stderr_stream, usual.stderr_stream);
    archive.field("log", value.log, usual.log);
    archive.field("credentials", value.credentials, usual.credentials);
    archive.field("dirs", value.dirs, usual.dirs);
    archive.field("sockets", value.sockets, usual.sockets);
    archive.field("limits", value.limits, usual.limits);
    archive.field("treeLimits", value.tree_limits, usual.tree_limits);
    archive.field("strictLimits", value.strict_limits, usual.strict_limits);
    archive.field("nice", value.nice, usual.nice);
    archive.field("scheduling", value.scheduling, usual.scheduling);
    archive.field("ioPriority", value.io_priority, usual.io_priority);
    archive.field("cpuAffinity", value.cpu_affinity, usual.cpu_affinity);
    archive.field("oomScoreAdjust", value.oom_score_adjust, usual.oom_score_adjust);
    archive.field("owner", value.owner, usual.owner);
    archive.field("tags", value.tags, usual.tags);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, AccessRule> {
    archive.field("users", value.users);
    archive.field("groups", value.groups);
    archive.field("everyone", value.everyone);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, MaskedJob> {
    archive.field("job", value.job);
    archive.field("file", value.file);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, DaemonSpec> {
    archive.field("runtimeDir", value.runtime_dir);
    archive.field("stateDir", value.state_dir);
    archive.field("logDir", value.log_dir);
    archive.field("logFault", value.log_fault);
    archive.field("logLevel", value.log_level);
    archive.field("containment", value.containment);
    archive.field("onCrash", value.on_crash);
    archive.field("shutdownTimeout", value.shutdown_timeout);
    archive.field("maxClients", value.max_clients);
    archive.field("admin", value.admin);
    archive.field("operate", value.operate);
    archive.field("read", value.read);
    archive.field("masked", value.masked);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value) requires std::is_same_v<std::remove_const_t<T>, Problem> {
    archive.field("file", value.file);
    archive.field("line", value.line);
    archive.field("column", value.column);
    archive.field("message", value.message);
}

}  // namespace procsup::wire
