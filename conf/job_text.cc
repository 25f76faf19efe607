#include "conf/job_text.h"

#include <array>

#include "common/signal_name.h"
#include "conf/cpu_list.h"
#include "conf/keys.h"
#include "conf/resource_limits.h"
#include "conf/sandbox_paths.h"
#include "conf/tree_limits.h"

namespace procsup {
namespace {

template <typename Enum>
std::string_view word(Key key, Enum value) {
    return all_keys()[static_cast<std::size_t>(key)].form->choices[static_cast<std::size_t>(value)];
}

void usec_member(json::Writer& writer, std::string_view name, Duration duration) {
    if (duration == kForever) {
        writer.member_null(name);
    } else {
        writer.member_int(name, duration.count());
    }
}

/// 0 stands for no limit.
void size_member(json::Writer& writer, std::string_view name, std::uint64_t size) {
    if (size == 0) {
        writer.member_null(name);
    } else {
        writer.member_int(name, static_cast<std::int64_t>(size));
    }
}

void rate_member(json::Writer& writer, std::string_view name, const RateLimit& limit) {
    if (limit.count == 0) {
        writer.member_null(name);
    } else {
        writer.key(name).begin_object().member_int("count", limit.count);
        writer.member_int("windowUSec", limit.window.count()).end_object();
    }
}

void strings_member(json::Writer& writer, std::string_view name, const std::vector<std::string>& strings) {
    writer.key(name).begin_array();
    for (const auto& text : strings) writer.string(text);
    writer.end_array();
}

void exit_set_member(json::Writer& writer, std::string_view name, const ExitSet& set) {
    writer.key(name).begin_array();
    for (const auto code : set.codes) writer.number(code);
    for (const auto signal : set.signals) writer.string(signal_name(signal));
    writer.end_array();
}

template <typename Number>
void optional_member(json::Writer& writer, std::string_view name, const std::optional<Number>& number) {
    if (number) {
        writer.member_int(name, static_cast<std::int64_t>(*number));
    } else {
        writer.member_null(name);
    }
}

std::string octal(mode_t mode) {
    std::string text(4, '0');
    for (std::size_t i = 4; i-- > 1; mode >>= 3) text[i] = static_cast<char>('0' + (mode & 7));
    return text;
}

void write_what(json::Writer& writer, const JobSpec& spec) {
    writer.member("name", spec.name);
    writer.member("description", spec.description.empty() ? spec.name : spec.description);
    writer.member("origin", spec.origin);
    strings_member(writer, "command", spec.command);
    writer.member("program", spec.program);
    strings_member(writer, "env", spec.env);
    writer.member("workingDir", spec.working_dir);
    writer.member("umask", octal(spec.umask));
    writer.key("identity");
    if (spec.identity) {
        writer.begin_object().member_int("uid", spec.identity->uid).member_int("gid", spec.identity->gid);
        writer.key("groups").begin_array();
        for (const auto group : spec.identity->groups) writer.number(group);
        writer.end_array().end_object();
    } else {
        writer.null();
    }
    writer.member("type", word_of(spec.type));
    writer.member_bool("enabled", spec.enabled);
    writer.member_bool("essential", spec.essential);
    writer.member_bool("manuallyStopped", spec.manually_stopped);
    strings_member(writer, "instances", spec.instances);
    optional_member(writer, "portBase", spec.port_base);
    optional_member(writer, "owner", spec.owner);
    if (!spec.membership.group.empty()) writer.member("group", spec.membership.group);
    strings_member(writer, "tags", spec.tags);
}

void write_dependencies(json::Writer& writer, const Dependencies& dependencies) {
    if (dependencies.empty()) return;
    strings_member(writer, "after", dependencies.after);
    strings_member(writer, "before", dependencies.before);
    strings_member(writer, "wants", dependencies.wants);
    writer.key("requires").begin_array();
    for (const auto& requirement : dependencies.requirements) {
        writer.begin_object().member("job", requirement.job).member("condition", word_of(requirement.condition));
        writer.member("onRestart", word_of(requirement.on_restart)).end_object();
    }
    writer.end_array();
}

void write_readiness(json::Writer& writer, const Readiness& readiness) {
    if (!readiness.is_declared()) return;
    writer.key("ready").begin_object().member("by", word_of(readiness.kind));
    if (readiness.fd >= 0) writer.member_int("fd", readiness.fd);
    if (!readiness.target.empty()) writer.member("target", readiness.target);
    if (!readiness.probe.empty()) usec_member(writer, "intervalUSec", readiness.interval);
    usec_member(writer, "timeoutUSec", readiness.timeout);
    writer.end_object();
}

void write_health(json::Writer& writer, const Health& health) {
    if (!health.is_declared()) return;
    writer.key("health").begin_object();
    if (health.look.is_declared()) writer.member("by", word_of(health.look.kind)).member("target", health.look.target);
    if (health.memory_above > 0) writer.member_int("memoryAbove", static_cast<std::int64_t>(health.memory_above));
    if (health.cpu_above > 0) writer.key("cpuAbove").real(health.cpu_above);
    usec_member(writer, "intervalUSec", health.look.interval);
    usec_member(writer, "timeoutUSec", health.look.timeout);
    writer.member_int("failures", health.failures)
        .member_int("of", health.of)
        .member_int("successes", health.successes);
    usec_member(writer, "graceUSec", health.grace);
    writer.member("action", word_of(health.action));
    if (health.action == Health::Action::Restart) rate_member(writer, "restartLimit", health.restart_limit);
    writer.end_object();
}

void write_schedule(json::Writer& writer, const Schedule& schedule) {
    if (!schedule.is_declared()) return;
    writer.key("schedule").begin_object();
    if (schedule.cron.empty()) {
        usec_member(writer, "intervalUSec", schedule.interval);
    } else {
        writer.member("cron", schedule.cron).member("timezone", schedule.timezone);
    }
    writer.member("overlap", word_of(schedule.overlap)).member("missed", word_of(schedule.missed));
    usec_member(writer, "jitterUSec", schedule.jitter);
    writer.end_object();
}

void write_restart(json::Writer& writer, const RestartPolicy& policy) {
    writer.member("restart", word_of(policy.when));
    usec_member(writer, "minUptimeUSec", policy.min_uptime);
    usec_member(writer, "restartDelayUSec", policy.delay);
    writer.key("restartBackoff").real(policy.backoff);
    usec_member(writer, "restartDelayMaxUSec", policy.delay_max);
    writer.key("restartJitter").real(policy.jitter);
    usec_member(writer, "restartResetUSec", policy.reset);
    rate_member(writer, "startLimit", policy.start_limit);
    exit_set_member(writer, "successExitCodes", policy.success);
    exit_set_member(writer, "preventRestartCodes", policy.prevent);
    exit_set_member(writer, "forceRestartCodes", policy.force);
    writer.member("onExhausted", word_of(policy.on_exhausted));
}

void write_log(json::Writer& writer, const LogPolicy& log) {
    writer.key("log").begin_object().member("format", word_of(log.format));
    size_member(writer, "maxSize", log.max_size);
    usec_member(writer, "maxAgeUSec", log.max_age);
    writer.member_int("keep", log.keep);
    size_member(writer, "totalSize", log.total_size);
    writer.member("compress", word_of(log.compress)).member("onFull", word_of(log.on_full));
    rate_member(writer, "rateLimit", log.rate_limit);
    writer.key("mirror");
    log.mirror ? writer.boolean(*log.mirror) : writer.null();
    usec_member(writer, "syncUSec", log.sync);
    writer.key("dir");
    log.dir.empty() ? writer.null() : writer.string(log.dir);
    writer.end_object();
}

/// In the kernel's units (bytes, seconds, microseconds), but for RLIMIT_NICE, which nobody knows by its own.
void write_limit(json::Writer& writer, const LimitRow& row, rlim_t number) {
    if (number == RLIM_INFINITY) {
        writer.string("unlimited");
    } else if (row.unit == LimitUnit::Nice) {
        writer.number(nice_of_limit(number));
    } else {
        writer.number(static_cast<std::int64_t>(number));
    }
}

void write_limits(json::Writer& writer, const JobSpec& spec) {
    writer.key("limits").begin_object();
    for (const auto& limit : spec.limits) {
        const auto* row = find_limit(limit.resource);
        if (row == nullptr) continue;
        writer.key(limit_name(limit.resource));
        if (limit.soft == limit.hard) {
            write_limit(writer, *row, limit.hard);
            continue;
        }
        writer.begin_object().key("soft");
        write_limit(writer, *row, limit.soft);
        writer.key("hard");
        write_limit(writer, *row, limit.hard);
        writer.end_object();
    }
    for (const auto& limit : spec.tree_limits) {
        writer.key(all_keys()[static_cast<std::size_t>(row_of(limit.kind).key)].name);
        write_value(writer, limit);
    }
    writer.end_object();
    writer.member_bool("strictLimits", spec.strict_limits);
    optional_member(writer, "nice", spec.nice);
    if (spec.scheduling) writer.member("scheduling", word_of(*spec.scheduling));
    if (spec.io_priority) writer.member("ioPriority", word_of(*spec.io_priority));
    if (!spec.cpu_affinity.empty()) writer.member("cpuAffinity", cpu_list_text(spec.cpu_affinity));
}

void write_hooks(json::Writer& writer, const JobSpec& spec) {
    if (spec.hooks.empty()) return;
    writer.key("hooks").begin_array();
    for (const auto& [hook, command] : spec.hooks) {
        writer.begin_object().member("hook", word_of(hook));
        strings_member(writer, "command", command.argv);
        writer.member("program", command.program).end_object();
    }
    writer.end_array();
}

void write_run(json::Writer& writer, const JobSpec& spec) {
    usec_member(writer, "startTimeoutUSec", spec.start_timeout);
    usec_member(writer, "stopTimeoutUSec", spec.stop_timeout);
    usec_member(writer, "runTimeoutUSec", spec.run_timeout);
    if (spec.max_lifetime != kForever) {
        usec_member(writer, "maxLifetimeUSec", spec.max_lifetime);
        writer.key("maxLifetimeVariance").real(spec.max_lifetime_variance);
    }
    writer.member("stopSignal", signal_name(spec.stop_signal)).key("stopSteps").begin_array();
    for (const auto& step : spec.stop_steps) {
        writer.begin_object().member_int("pauseUSec", step.pause.count());
        writer.member("signal", signal_name(step.signal)).end_object();
    }
    writer.end_array();
    writer.member("stopScope", word_of(spec.stop_scope)).member("stopSignalTo", word_of(spec.stop_signal_to));
    if (!spec.stop_command.empty()) {
        strings_member(writer, "stopCommand", spec.stop_command.argv);
        writer.member("stopProgram", spec.stop_command.program);
    }
    write_hooks(writer, spec);
    writer.member("orphans", word_of(spec.orphans));
    if (!spec.daemon_of.empty()) {
        writer.member("daemonOf", spec.daemon_of).member("onParentRestart", word_of(spec.on_parent_restart));
    }
    if (spec.has_watchdog()) {
        usec_member(writer, "watchdogUSec", spec.watchdog);
        writer.member("watchdogSignal", signal_name(spec.watchdog_signal));
    }
    if (spec.zombie_limit) {
        writer.member_int("zombieLimit", *spec.zombie_limit);
        usec_member(writer, "zombieCheckUSec", spec.zombie_check);
    }
    writer.member_bool("mayFork", spec.may_fork);
    writer.member("reloadSignal", signal_name(spec.reload_signal));
    if (!spec.reload_command.empty()) {
        strings_member(writer, "reloadCommand", spec.reload_command.argv);
        writer.member("reloadProgram", spec.reload_command.program);
    }
    writer.member("stdin", word_of(spec.stdin_stream));
    writer.member("stdout", word_of(spec.stdout_stream));
    writer.member("stderr", word_of(spec.stderr_stream));
    if (spec.stdout_stream.kind == Stream::Kind::Pipe) writer.member("pipeTo", spec.stdout_stream.path);
    if (spec.is_logged()) write_log(writer, spec.log);
    write_limits(writer, spec);
    optional_member(writer, "oomScoreAdjust", spec.oom_score_adjust);
}

void write_privileges(json::Writer& writer, const JobSpec& spec, bool no_new_privileges) {
    writer.member_bool("noNewPrivileges", spec.gains_no_privileges(no_new_privileges));
    if (spec.privileges.capabilities) {
        strings_member(writer, "capabilities", capability_names(*spec.privileges.capabilities));
    } else {
        writer.member_null("capabilities");
    }
    strings_member(writer, "ambientCapabilities", capability_names(spec.privileges.ambient));
}

void write_sandbox(json::Writer& writer, const Sandbox& sandbox) {
    writer.member_bool("privateTmp", sandbox.private_tmp);
    strings_member(writer, "readOnlyPaths", written_paths(sandbox, true));
    strings_member(writer, "readWritePaths", written_paths(sandbox, false));
    writer.member_bool("strictSandbox", sandbox.strict);
}

void write_provisions(json::Writer& writer, const JobSpec& spec) {
    writer.key("credentials").begin_object();
    for (const auto& credential : spec.credentials) writer.member(credential.name, credential.path);
    writer.end_object();
    constexpr const char* kKeys[] = {"runtimeDirs", "stateDirs", "logDirs"};
    for (const auto kind : {JobDir::Kind::Runtime, JobDir::Kind::State, JobDir::Kind::Log}) {
        writer.key(kKeys[static_cast<std::size_t>(kind)]).begin_array();
        for (const auto& dir : spec.dirs) {
            if (dir.kind == kind) writer.string(dir.base + "/" + dir.name);
        }
        writer.end_array();
    }
}

void write_sockets(json::Writer& writer, const std::vector<ListeningSocket>& sockets) {
    if (sockets.empty()) return;
    writer.key("sockets").begin_array();
    for (const auto& socket : sockets) {
        writer.begin_object().member("name", socket.name).member("listen", socket.listen);
        if (has_path(socket)) {
            writer.member("mode", octal(socket.mode));
            writer.member_int("uid", socket.uid).member_int("gid", socket.gid);
        }
        if (socket.accept) writer.member_bool("accept", true).member_int("maxConnections", socket.max_connections);
        if (socket.on_demand) writer.member_bool("onDemand", true);
        if (socket.idle_timeout != kForever) writer.member_int("idleTimeoutUSec", socket.idle_timeout.count());
        writer.end_object();
    }
    writer.end_array();
}

}  // namespace

std::string_view word_of(JobType type) { return word(Key::Type, type); }
std::string_view word_of(Restart restart) { return word(Key::Restart, restart); }
std::string_view word_of(OnExhausted action) { return word(Key::OnExhausted, action); }
std::string_view word_of(StopScope scope) { return word(Key::StopScope, scope); }
std::string_view word_of(SignalTo target) { return word(Key::StopSignalTo, target); }
std::string_view word_of(Orphans policy) { return word(Key::Orphans, policy); }
std::string_view word_of(OnParentRestart what) { return word(Key::OnParentRestart, what); }
std::string_view word_of(LogFormat format) { return word(Key::LogFormat, format); }
std::string_view word_of(Compress compress) { return word(Key::LogCompress, compress); }
std::string_view word_of(OnFull what) { return word(Key::LogOnFull, what); }
std::string_view word_of(LogLevel level) { return word(Key::LogLevel, level); }
std::string_view word_of(ContainmentMode mode) { return word(Key::Containment, mode); }

std::string word_of(const Scheduling& scheduling) {
    const std::string name(word(Key::Scheduling, scheduling.policy));
    return scheduling.realtime() ? name + ":" + std::to_string(scheduling.priority) : name;
}

std::string word_of(const IoPriority& priority) {
    const std::string name(word(Key::IoPriority, priority.io_class));
    return priority.io_class == IoPriority::Class::Idle ? name : name + ":" + std::to_string(priority.level);
}

std::string word_of(const Stream& stream) {
    if (stream.kind == Stream::Kind::File) return stream.path;
    if (stream.kind == Stream::Kind::Connection) return "connection";
    return std::string(stream.kind == Stream::Kind::Pipe ? "pipe" : word(Key::LogStdout, stream.kind));
}

void write_json(json::Writer& writer, const JobSpec& spec, bool no_new_privileges) {
    writer.begin_object();
    write_what(writer, spec);
    write_dependencies(writer, spec.dependencies);
    write_readiness(writer, spec.readiness);
    write_health(writer, spec.health);
    write_schedule(writer, spec.schedule);
    write_restart(writer, spec.restart);
    write_run(writer, spec);
    write_privileges(writer, spec, no_new_privileges);
    write_sandbox(writer, spec.sandbox);
    write_provisions(writer, spec);
    write_sockets(writer, spec.sockets);
    writer.end_object();
}

std::string check_report(const std::string& path, const std::variant<Configuration, std::vector<Problem>>& result) {
    return check_report(path, CheckResult{result, {}});
}

namespace {

void write_problems(json::Writer& writer, std::string_view name, const std::vector<Problem>& problems) {
    writer.key(name).begin_array();
    for (const auto& problem : problems) {
        writer.begin_object().member("file", problem.file).member_int("line", problem.line);
        writer.member_int("column", problem.column).member("message", problem.message).end_object();
    }
    writer.end_array();
}

/// The number of jobs, or null where there are problems, and these.
void write_outcome(json::Writer& writer, const std::string& path, const Configuration* configuration,
                   const std::vector<Problem>& problems) {
    writer.begin_object().member("path", path).key("jobs");
    const bool good = configuration != nullptr && problems.empty();
    good ? writer.number(static_cast<std::int64_t>(configuration->jobs.size())) : writer.null();
    write_problems(writer, "problems", problems);
}

}  // namespace

std::string check_json(const std::string& path, const std::variant<Configuration, std::vector<Problem>>& result) {
    const auto* problems = std::get_if<std::vector<Problem>>(&result);
    json::Writer writer;
    write_outcome(writer, path, std::get_if<Configuration>(&result),
                  problems != nullptr ? *problems : std::vector<Problem>());
    writer.end_object();
    return writer.take() + "\n";
}

std::string check_json(const std::string& path, const CheckResult& result) {
    std::vector<Problem> problems, warnings;
    if (const auto* found = std::get_if<std::vector<Problem>>(&result.loaded)) problems = *found;
    for (const auto& problem : result.unenforceable) (problem.warning ? warnings : problems).push_back(problem);
    json::Writer writer;
    write_outcome(writer, path, std::get_if<Configuration>(&result.loaded), problems);
    write_problems(writer, "warnings", warnings);
    writer.end_object();
    return writer.take() + "\n";
}

std::string check_report(const std::string& path, const CheckResult& result) {
    std::string text;
    for (const auto& problem : result.unenforceable) text += to_text(problem) + "\n";
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result.loaded)) {
        for (const auto& problem : *problems) text += to_text(problem) + "\n";
    } else if (result.good()) {
        const auto jobs = std::get<Configuration>(result.loaded).jobs.size(), warnings = result.unenforceable.size();
        text += path + ": " + std::to_string(jobs) + (jobs == 1 ? " job, " : " jobs, ");
        text += warnings == 0   ? "no problems\n"
                : warnings == 1 ? "no errors, 1 warning\n"
                                : "no errors, " + std::to_string(warnings) + " warnings\n";
    }
    return text;
}

}  // namespace procsup
