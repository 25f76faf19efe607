#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string>

#include "common/signal_name.h"
#include "common/units.h"
#include "conf/cpu_list.h"
#include "conf/job_text.h"
#include "conf/key_reader.h"
#include "conf/resource_limits.h"
#include "conf/sandbox_paths.h"
#include "conf/tree_limits.h"

namespace procsup {
namespace {

std::string toml_string(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (c == '\n') {
            result += "\\n";
        } else if (c == '\t') {
            result += "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            char escape[8];
            std::snprintf(escape, sizeof(escape), "\\u%04X", byte);
            result += escape;
        } else {
            result += c;
        }
    }
    return result + '"';
}

/// Exact, where to_text() rounds: "1min30s500ms".
std::string toml_duration(Duration duration) {
    return duration == kForever ? "\"none\"" : "\"" + exact_text(duration) + "\"";
}

std::string toml_size(std::uint64_t size) { return size == 0 ? "\"none\"" : "\"" + std::to_string(size) + "B\""; }

std::string toml_rate(const RateLimit& limit) {
    return limit.count == 0 ? "\"none\""
                            : "\"" + std::to_string(limit.count) + "/" + toml_duration(limit.window).substr(1);
}

std::string toml_number(double number) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    std::string text(digits.data(), end);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string toml_strings(const std::vector<std::string>& strings) {
    std::string text;
    for (const auto& element : strings) text += (text.empty() ? "" : ", ") + toml_string(element);
    return "[" + text + "]";
}

std::string toml_requirements(const std::vector<Requirement>& requirements) {
    std::string text;
    for (const auto& requirement : requirements) {
        if (!text.empty()) text += ", ";
        if (requirement == Requirement{requirement.job}) {
            text += toml_string(requirement.job);
            continue;
        }
        text += "{ job = " + toml_string(requirement.job);
        text += ", condition = " + toml_string(word_of(requirement.condition));
        if (requirement.lasts()) text += ", on_restart = " + toml_string(word_of(requirement.on_restart));
        text += " }";
    }
    return "[" + text + "]";
}

std::string octal(mode_t mode) {
    char text[8];
    std::snprintf(text, sizeof(text), "%04o", mode & 0777u);
    return text;
}

std::string toml_sockets(const JobSpec& spec) {
    std::string text;
    for (const auto& socket : spec.sockets) {
        text += (text.empty() ? "{ name = " : ", { name = ") + toml_string(socket.name);
        text += ", listen = " + toml_string(socket.listen);
        // Only where there is one these have an effect: elsewhere they would be an error.
        if (has_path(socket)) {
            text += ", mode = " + toml_string(octal(socket.mode));
            text += ", user = " + std::to_string(socket.uid) + ", group = " + std::to_string(socket.gid);
        }
        if (socket.accept) text += ", accept = true, max_connections = " + std::to_string(socket.max_connections);
        if (socket.on_demand) text += ", on_demand = true";
        if (socket.idle_timeout != kForever) text += ", idle_timeout = " + toml_string(to_text(socket.idle_timeout));
        text += " }";
    }
    return "[" + text + "]";
}

std::string toml_exit_set(const ExitSet& set) {
    std::string text;
    for (const auto code : set.codes) text += (text.empty() ? "" : ", ") + std::to_string(code);
    for (const auto signal : set.signals) text += (text.empty() ? "" : ", ") + toml_string(signal_name(signal));
    return "[" + text + "]";
}

/// Lines of "key = value", only of what is not as it is by default.
class TomlText {
public:
    explicit TomlText(const JobSpec& spec) : spec_(spec) {}

    std::string write() {
        what();
        dependencies();
        restart();
        run();
        readiness();
        health();
        schedule();
        log();
        limits();
        sandbox();
        credentials();
        environment();
        return std::move(text_);
    }

private:
    void line(std::string_view key, const std::string& value) { text_.append(key).append(" = ").append(value) += '\n'; }
    void line_if(bool differs, std::string_view key, const std::string& value) {
        if (differs) line(key, value);
    }
    template <typename Number>
    void optional_line(std::string_view key, const std::optional<Number>& number) {
        if (number) line(key, std::to_string(*number));
    }
    /// A table's header, before its first line.
    void table(std::string_view name, const std::string& lines) {
        if (!lines.empty()) text_.append("\n[").append(name).append("]\n").append(lines);
    }

    void what() {
        line_if(!spec_.description.empty(), "description", toml_string(spec_.description));
        line("command", toml_strings(spec_.command));
        line_if(spec_.type != usual_.type, "type", toml_string(word_of(spec_.type)));
        line_if(!spec_.enabled, "enabled", "false");
        instances();
        optional_line("port_base", spec_.port_base);
        if (spec_.identity) {
            line("user", std::to_string(spec_.identity->uid));
            line("group", std::to_string(spec_.identity->gid));
            std::string groups;
            for (const auto group : spec_.identity->groups) {
                groups += (groups.empty() ? "" : ", ") + std::to_string(group);
            }
            line("groups", "[" + groups + "]");
        }
        line("working_dir", toml_string(spec_.working_dir));
        line_if(spec_.umask != usual_.umask, "umask", toml_string(octal(spec_.umask)));
        optional_line("owner", spec_.owner);
        line_if(!spec_.tags.empty(), "tags", toml_strings(spec_.tags));
        directories();
        line_if(!spec_.sockets.empty(), "sockets", toml_sockets(spec_));
    }

    void instances() {
        if (spec_.instances.empty()) return;
        bool counted = spec_.instances.size() > 1;
        for (std::size_t i = 0; i < spec_.instances.size(); ++i) {
            counted = counted && spec_.instances[i] == std::to_string(i);
        }
        line("instances", counted ? std::to_string(spec_.instances.size()) : toml_strings(spec_.instances));
    }

    void dependencies() {
        const auto& [after, before, wants, requirements] = spec_.dependencies;
        line_if(!after.empty(), "after", toml_strings(after));
        line_if(!before.empty(), "before", toml_strings(before));
        line_if(!wants.empty(), "wants", toml_strings(wants));
        line_if(!requirements.empty(), "requires", toml_requirements(requirements));
    }

    void restart() {
        const auto& policy = spec_.restart;
        const auto& usual = usual_.restart;
        line_if(policy.when != usual.when, "restart", toml_string(word_of(policy.when)));
        line_if(policy.min_uptime != usual.min_uptime, "min_uptime", toml_duration(policy.min_uptime));
        line_if(policy.delay != usual.delay, "restart_delay", toml_duration(policy.delay));
        line_if(policy.backoff != usual.backoff, "restart_backoff", toml_number(policy.backoff));
        line_if(policy.delay_max != usual.delay_max, "restart_delay_max", toml_duration(policy.delay_max));
        line_if(policy.jitter != usual.jitter, "restart_jitter", toml_number(policy.jitter));
        line_if(policy.reset != usual.reset, "restart_reset", toml_duration(policy.reset));
        line_if(policy.start_limit != usual.start_limit, "start_limit", toml_rate(policy.start_limit));
        line_if(policy.success != usual.success, "success_exit_codes", toml_exit_set(policy.success));
        line_if(!policy.prevent.empty(), "prevent_restart_codes", toml_exit_set(policy.prevent));
        line_if(!policy.force.empty(), "force_restart_codes", toml_exit_set(policy.force));
        line_if(policy.on_exhausted != usual.on_exhausted, "on_exhausted", toml_string(word_of(policy.on_exhausted)));
        line_if(spec_.essential, "essential", "true");
    }

    void run() {
        line_if(spec_.start_timeout != usual_.start_timeout, "start_timeout", toml_duration(spec_.start_timeout));
        line_if(spec_.stop_timeout != usual_.stop_timeout, "stop_timeout", toml_duration(spec_.stop_timeout));
        line_if(spec_.run_timeout != usual_.run_timeout, "run_timeout", toml_duration(spec_.run_timeout));
        line_if(spec_.max_lifetime != usual_.max_lifetime, "max_lifetime", toml_duration(spec_.max_lifetime));
        line_if(spec_.max_lifetime_variance != usual_.max_lifetime_variance, "max_lifetime_variance",
                toml_number(spec_.max_lifetime_variance));
        line_if(spec_.watchdog != usual_.watchdog, "watchdog", toml_duration(spec_.watchdog));
        line_if(spec_.watchdog_signal != usual_.watchdog_signal, "watchdog_signal",
                toml_string(signal_name(spec_.watchdog_signal)));
        stop_signal();
        line_if(spec_.stop_scope != usual_.stop_scope, "stop_scope", toml_string(word_of(spec_.stop_scope)));
        line_if(spec_.stop_signal_to != usual_.stop_signal_to, "stop_signal_to",
                toml_string(word_of(spec_.stop_signal_to)));
        line_if(!spec_.stop_command.empty(), "stop_command", toml_strings(spec_.stop_command.argv));
        if (spec_.zombie_limit) line("zombie_limit", std::to_string(*spec_.zombie_limit));
        line_if(spec_.zombie_check != usual_.zombie_check, "zombie_check", toml_duration(spec_.zombie_check));
        line_if(!spec_.daemon_of.empty(), "daemon_of", toml_string(spec_.daemon_of));
        line_if(spec_.on_parent_restart != usual_.on_parent_restart, "on_parent_restart",
                toml_string(word_of(spec_.on_parent_restart)));
        line_if(!spec_.may_fork, "may_fork", "false");
        line_if(spec_.orphans != usual_.orphans, "orphans", toml_string(word_of(spec_.orphans)));
        line_if(spec_.reload_signal != usual_.reload_signal, "reload_signal",
                toml_string(signal_name(spec_.reload_signal)));
        line_if(!spec_.reload_command.empty(), "reload_command", toml_strings(spec_.reload_command.argv));
        for (const auto& [hook, command] : spec_.hooks) line(word_of(hook), toml_strings(command.argv));
    }

    void readiness() {
        const auto& ready = spec_.readiness;
        if (!ready.is_declared()) return;
        std::string value = toml_string(ready.target);
        if (ready.kind == Readiness::Kind::Notify) value = "true";
        if (ready.kind == Readiness::Kind::Fd) value = std::to_string(ready.fd);
        if (ready.kind == Readiness::Kind::Exec) value = toml_strings(command_of_probe(ready));
        std::string lines = std::string(word_of(ready.kind)) + " = " + value + "\n";
        const bool polled = !ready.probe.empty() && ready.interval != usual_.readiness.interval;
        if (polled) lines += "interval = " + toml_duration(ready.interval) + "\n";
        if (ready.timeout != spec_.start_timeout) lines += "timeout = " + toml_duration(ready.timeout) + "\n";
        table("ready", lines);
    }

    void health() {
        const auto& health = spec_.health;
        if (!health.is_declared()) return;
        const auto& look = health.look;
        const Health usual;
        const bool command = look.kind == Readiness::Kind::Exec;
        std::string lines;
        if (look.is_declared()) {
            lines = std::string(word_of(look.kind)) + " = ";
            lines += (command ? toml_strings(command_of_probe(look)) : toml_string(look.target)) + "\n";
        }
        const auto add = [&](bool differs, const char* key, const std::string& value) {
            if (differs) lines += key + (" = " + value) + "\n";
        };
        add(health.memory_above > 0, "memory_above", toml_size(health.memory_above));
        add(health.cpu_above > 0, "cpu_above", toml_number(health.cpu_above));
        add(look.interval != usual.look.interval, "interval", toml_duration(look.interval));
        add(look.timeout != usual.look.timeout, "timeout", toml_duration(look.timeout));
        add(health.failures != usual.failures, "failures", std::to_string(health.failures));
        add(health.of != std::max(usual.of, health.failures), "of", std::to_string(health.of));
        add(health.successes != usual.successes, "successes", std::to_string(health.successes));
        add(health.grace != usual.grace, "grace", toml_duration(health.grace));
        add(health.action != usual.action, "action", toml_string(word_of(health.action)));
        add(health.restart_limit != usual.restart_limit, "restart_limit", toml_rate(health.restart_limit));
        table("health", lines);
    }

    void schedule() {
        const auto& schedule = spec_.schedule;
        if (!schedule.is_declared()) return;
        const Schedule usual;
        const bool cron = !schedule.cron.empty();
        std::string lines = cron ? "cron = " + toml_string(schedule.cron) + "\n"
                                 : "interval = " + toml_duration(schedule.interval) + "\n";
        const auto add = [&](bool differs, const char* key, const std::string& value) {
            if (differs) lines += key + (" = " + value) + "\n";
        };
        add(schedule.timezone != usual.timezone, "timezone", toml_string(schedule.timezone));
        add(schedule.overlap != usual.overlap, "overlap", toml_string(word_of(schedule.overlap)));
        add(schedule.missed != usual.missed, "missed", toml_string(word_of(schedule.missed)));
        add(schedule.jitter != usual.jitter, "jitter", toml_duration(schedule.jitter));
        table("schedule", lines);
    }

    void stop_signal() {
        std::string signals = toml_string(signal_name(spec_.stop_signal));
        for (const auto& step : spec_.stop_steps) {
            signals += ", " + toml_duration(step.pause) + ", " + toml_string(signal_name(step.signal));
        }
        if (!spec_.stop_steps.empty()) {
            line("stop_signal", "[" + signals + "]");
        } else {
            line_if(spec_.stop_signal != usual_.stop_signal, "stop_signal", signals);
        }
    }

    void log() {
        std::string lines;
        const auto add = [&](const char* key, const Stream& stream, const Stream& usual) {
            if (stream.kind == Stream::Kind::Pipe || stream == usual) return;
            lines += std::string(key) + " = " + toml_string(word_of(stream)) + "\n";
        };
        add("stdout", spec_.stdout_stream, usual_.stdout_stream);
        const auto& output = spec_.stdout_stream;
        add("stderr", spec_.stderr_stream, output.is_shared() ? output : usual_.stderr_stream);
        // The input of a job that others write to is what these say of it.
        add("stdin", spec_.stdin_stream, usual_.stdin_stream);
        if (output.kind == Stream::Kind::Pipe) lines += "pipe_to = " + toml_string(output.path) + "\n";
        table("log", lines + logging());
    }

    /// Also where [defaults] says more: what has no effect could not be read back.
    std::string logging() const {
        if (!spec_.is_logged()) return {};
        const auto& log = spec_.log;
        const auto& usual = usual_.log;
        std::string lines;
        const auto add = [&](bool differs, const char* key, const std::string& value) {
            if (differs) lines += std::string(key) + " = " + value + "\n";
        };
        add(log.on_full != usual.on_full, "on_full", toml_string(word_of(log.on_full)));
        add(log.rate_limit != usual.rate_limit, "rate_limit", toml_rate(log.rate_limit));
        add(log.mirror.has_value() && spec_.can_be_mirrored(), "mirror", log.mirror.value_or(false) ? "true" : "false");
        if (!spec_.captures()) return lines;
        const bool keeps = log.keep != 0;
        add(log.format != usual.format, "format", toml_string(word_of(log.format)));
        add(log.max_size != usual.max_size, "max_size", toml_size(log.max_size));
        add(log.max_age != usual.max_age, "max_age", toml_duration(log.max_age));
        add(log.keep != usual.keep, "keep", std::to_string(log.keep));
        add(keeps && log.total_size != usual.total_size, "total_size", toml_size(log.total_size));
        add(keeps && log.compress != usual.compress, "compress", toml_string(word_of(log.compress)));
        add(log.sync != usual.sync, "sync", toml_duration(log.sync));
        add(!log.dir.empty(), "dir", toml_string(log.dir));
        return lines;
    }

    void limits() {
        std::string lines;
        for (const auto& limit : spec_.limits) {
            lines += std::string(limit_name(limit.resource)) + " = " + limit_toml(limit) + "\n";
        }
        if (spec_.nice) lines += "nice = " + std::to_string(*spec_.nice) + "\n";
        if (spec_.scheduling) lines += "scheduling = " + toml_string(word_of(*spec_.scheduling)) + "\n";
        if (spec_.io_priority) lines += "io_priority = " + toml_string(word_of(*spec_.io_priority)) + "\n";
        if (!spec_.cpu_affinity.empty()) {
            lines += "cpu_affinity = " + toml_string(cpu_list_text(spec_.cpu_affinity)) + "\n";
        }
        if (spec_.oom_score_adjust) lines += "oom_score_adjust = " + std::to_string(*spec_.oom_score_adjust) + "\n";
        for (const auto& limit : spec_.tree_limits) {
            const auto& row = all_keys()[static_cast<std::size_t>(row_of(limit.kind).key)];
            lines += std::string(row.name) + " = " + tree_limit_toml(limit) + "\n";
        }
        if (spec_.strict_limits) lines += "strict = true\n";
        table("limits", lines);
    }

    void sandbox() {
        const auto& privileges = spec_.privileges;
        std::string lines;
        if (privileges.no_new_privileges) {
            lines += std::string("no_new_privileges = ") + (*privileges.no_new_privileges ? "true" : "false") + "\n";
        }
        if (privileges.capabilities) {
            lines += "capabilities = " + toml_strings(capability_names(*privileges.capabilities)) + "\n";
        }
        if (privileges.ambient != 0) {
            lines += "ambient_capabilities = " + toml_strings(capability_names(privileges.ambient)) + "\n";
        }
        const auto& box = spec_.sandbox;
        if (box.private_tmp) lines += "private_tmp = true\n";
        const auto add_paths = [&](const char* key, bool read_only) {
            const auto paths = written_paths(box, read_only);
            if (!paths.empty()) lines += std::string(key) + " = " + toml_strings(paths) + "\n";
        };
        add_paths("read_only_paths", true);
        add_paths("read_write_paths", false);
        if (box.strict) lines += "strict = true\n";
        table("sandbox", lines);
    }

    void credentials() {
        std::string lines;
        for (const auto& credential : spec_.credentials) {
            lines += toml_string(credential.name) + " = " + toml_string(credential.path) + "\n";
        }
        table("credentials", lines);
    }

    void directories() {
        constexpr const char* kKeys[] = {"runtime_dirs", "state_dirs", "log_dirs"};
        for (const auto kind : {JobDir::Kind::Runtime, JobDir::Kind::State, JobDir::Kind::Log}) {
            std::vector<std::string> names;
            for (const auto& dir : spec_.dirs) {
                if (dir.kind == kind) names.push_back(dir.name);
            }
            line_if(!names.empty(), kKeys[static_cast<std::size_t>(kind)], toml_strings(names));
        }
    }

    void environment() {
        std::string lines;
        for (const auto& entry : spec_.env) {
            const auto equals = entry.find('=');
            lines += entry.substr(0, equals) + " = " + toml_string(std::string_view(entry).substr(equals + 1)) + "\n";
        }
        table("env", lines);
    }

    const JobSpec& spec_;
    const JobSpec usual_;
    std::string text_;
};

}  // namespace

std::string to_toml(const JobSpec& spec) { return TomlText(spec).write(); }

}  // namespace procsup
