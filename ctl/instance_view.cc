#include "ctl/instance_view.h"

#include <algorithm>
#include <array>

#include "common/exit_status.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// States from worst to best; a job is in the worst one of its instances.
constexpr std::array<std::string_view, 11> kWorstFirst{"failed",    "backoff",   "stopping", "starting",
                                                       "waiting",   "paused",    "stopped",  "exited",
                                                       "reloading", "listening", "running"};
/// The order in which the summary counts them.
constexpr std::array<std::string_view, 11> kSummaryOrder{"running",  "failed",    "backoff",   "starting",
                                                         "waiting",  "listening", "reloading", "paused",
                                                         "stopping", "stopped",   "exited"};

std::size_t rank(std::string_view state) {
    return static_cast<std::size_t>(std::find(kWorstFirst.begin(), kWorstFirst.end(), state) - kWorstFirst.begin());
}

/// A state that this version does not know counts as on the way.
Color color_of(const InstanceView& instance) {
    if (instance.state == "failed") return Color::Red;
    if (instance.health == "unhealthy") return Color::Yellow;
    if (does_its_work(instance)) return Color::Green;
    if (instance.state == "stopped" || instance.state == "exited") return Color::Dim;
    return Color::Yellow;
}

std::string age_of(std::int64_t since_usec, std::int64_t now_usec) {
    return since_usec == 0 ? "-" : age_text(Duration(now_usec - since_usec));
}

std::string not_enforced_text(std::size_t settings) {
    if (settings == 0) return {};
    return settings == 1 ? "a setting is not enforced" : std::to_string(settings) + " settings are not enforced";
}

/// How long is left for what it does now; empty: any time.
std::string left_text(const InstanceView& instance, std::int64_t now_usec) {
    if (instance.ready_due_usec == 0) return {};
    return " (" + age_text(Duration(std::max(instance.ready_due_usec - now_usec, std::int64_t{0}))) + " left)";
}

/// What follows while it ends; empty: that is not known.
std::string stop_text(const InstanceView& instance, std::int64_t now_usec) {
    std::string text;
    if (instance.kill_due_usec != 0) {
        text = "is killed in " + age_text(Duration(std::max(instance.kill_due_usec - now_usec, std::int64_t{0})));
    }
    const std::string separator = text.empty() ? "" : "; ";
    if (instance.starts_again) return text + separator + "is started again when it has ended";
    if (instance.leaves) return text + separator + "is forgotten when it has ended";
    return text;
}

/// What it waits for to be ready, and how long that is waited for.
std::string awaits_text(const InstanceView& instance, std::int64_t now_usec) {
    return escaped(instance.awaits) + left_text(instance, now_usec);
}

std::string watchdog_text(const InstanceView& instance, std::int64_t now_usec) {
    const auto due = instance.sign_of_life_usec + instance.watchdog_usec;
    const Duration left(std::max(due - now_usec, std::int64_t{0}));
    return to_text(Duration(instance.watchdog_usec)) + " (" + run_time_text(left) +
           " left until the next sign of life)";
}

/// "healthy for 3min", "unhealthy for 5s: tcp 127.0.0.1:80: cannot connect; is restarted in 2min".
std::string health_text(const InstanceView& instance, std::int64_t now_usec) {
    std::string text = escaped(instance.health);
    if (instance.health_since_usec != 0) text += " for " + age_text(Duration(now_usec - instance.health_since_usec));
    if (!instance.health_problem.empty()) {
        text += instance.health == "healthy" ? "; the last look failed: " : ": ";
        text += escaped(instance.health_problem);
    }
    if (instance.health_restarts > 0) text += "; restarts for that: " + std::to_string(instance.health_restarts);
    if (const auto due = instance.health_restart_due_usec; due != 0)
        text += "; the next one in " + age_text(Duration(std::max(due - now_usec, std::int64_t{0})));
    return text;
}

/// Of one that is unhealthy, or is not known to be healthy because looks have failed; else empty.
std::string unhealthy_text(const InstanceView& instance) {
    if (instance.health == "unhealthy") return "unhealthy: " + escaped(instance.health_problem);
    if (instance.health != "unknown" || instance.health_problem.empty()) return {};
    return "not healthy yet: " + escaped(instance.health_problem);
}

std::string detail(const InstanceView& instance, std::int64_t now_usec) {
    std::string text;
    if (!instance.output_problem.empty()) return "output waits: " + escaped(instance.output_problem);
    if (!instance.awaits.empty()) {
        text = (instance.ready ? "waits for " : "not ready: waits for ") + awaits_text(instance, now_usec);
        return instance.status_text.empty() ? text : text + "; it says: " + escaped(instance.status_text);
    }
    if (instance.state == "running") {
        text = escaped(instance.status_text);
        if (const auto problem = unhealthy_text(instance); !problem.empty())
            text = problem + (text.empty() ? "" : "; it says: ") + text;
        const auto unmet = not_enforced_text(instance.not_enforced.size());
        if (!text.empty() && !unmet.empty()) text += "; ";
        return text + unmet;
    }
    if (instance.state == "listening" && instance.connections >= 0) {
        return std::to_string(instance.connections) + " of at most " + std::to_string(instance.max_connections) +
               " connections; " + std::to_string(instance.connections_begun) + " so far";
    }
    if (instance.state == "backoff" && instance.next_start_usec != 0) {
        text = "next start in " + age_text(Duration(instance.next_start_usec - now_usec));
        if (!instance.cause.empty()) text += " (" + escaped(instance.cause) + ")";
        return text;
    }
    auto next = stop_text(instance, now_usec);
    if (next.empty() && instance.next_start_usec != 0)
        next = "next run in " + age_text(Duration(std::max(instance.next_start_usec - now_usec, std::int64_t{0})));
    if (instance.cause.empty()) return next;
    return escaped(instance.cause) + left_text(instance, now_usec) + (next.empty() ? "" : "; ") + next;
}

Table::Cell state_cell(const InstanceView& instance, const Output& out) {
    return {colored_state(instance, out), display_width(escaped(instance.state))};
}

/// Lines of jobs or instances; each has the cells of the columns up to PID, what is used if that is `measured`, and DETAIL.
class StateTable {
public:
    explicit StateTable(bool measured) : measured_(measured) {
        std::vector<Table::Cell> names{"JOB", "STATE", "READY", "SINCE", "RESTARTS", "PID"};
        if (measured) names.insert(names.end(), kUsageColumns.begin(), kUsageColumns.end());
        names.push_back("DETAIL");
        table_.add("  ", std::move(names));
    }
    void add(const std::string& symbol, std::vector<Table::Cell> cells, const UsageView& usage, std::string detail) {
        if (measured_) {
            for (auto& cell : usage_cells(usage)) cells.emplace_back(std::move(cell));
        }
        cells.emplace_back(std::move(detail));
        table_.add(symbol + " ", std::move(cells));
    }
    std::string text() const { return table_.text(); }

private:
    bool measured_;
    Table table_;
};

std::string instances_text(std::int64_t count) {
    return std::to_string(count) + (count == 1 ? " instance" : " instances");
}

std::string pid_text(std::int64_t pid) { return pid > 0 ? std::to_string(pid) : "-"; }

std::string last_run_lines(const EndedRun& run) {
    return " at " + date_text(run.ended_usec) + " (pid " + std::to_string(run.pid) + ")\n     took: " + cpu_text(run);
}

std::int64_t since_of_state(const JobRow& row, const InstanceView& instance) {
    // All running: since the last of them came. Else: since the first of them got into trouble.
    if (row.since_usec == 0) return instance.since_usec;
    return instance.state == "running" ? std::max(row.since_usec, instance.since_usec)
                                       : std::min(row.since_usec, instance.since_usec);
}

void add_to_row(JobRow& row, const InstanceView& instance) {
    ++row.instances;
    row.ready += instance.ready ? 1 : 0;
    row.works = row.works && does_its_work(instance);
    row.restarts += instance.restarts;
    row.usage.add(instance.usage);
    if (row.worst == nullptr || rank(instance.state) < rank(row.worst->state)) {
        row.worst = &instance;
        row.since_usec = instance.since_usec;
    } else if (instance.state == row.worst->state) {
        row.since_usec = since_of_state(row, instance);
    }
}

void write_instance_json(const json::Value& instance, json::Writer& writer) {
    constexpr std::array<std::string_view, 11> kAlways{
        "name", "job", "state", "pid", "ready", "restarts", "sinceUSec", "exitCode", "exitSignal", "lastRun", "cause"};
    writer.begin_object();
    for (const auto name : kAlways) {
        writer.key(snake_case(name));
        const json::Value* value = instance.find(name);
        if (value == nullptr) {
            writer.null();
        } else {
            write_snake_case(*value, writer);
        }
    }
    if (const auto* members = instance.as_object()) {
        for (const auto& [name, value] : *members) {
            if (std::find(kAlways.begin(), kAlways.end(), name) != kAlways.end()) continue;
            writer.key(snake_case(name));
            write_snake_case(value, writer);
        }
    }
    writer.end_object();
}

}  // namespace

InstanceView InstanceView::of(const json::Value& instance) {
    InstanceView view;
    view.name = instance.string_or("name", "");
    view.job = instance.string_or("job", view.name);
    view.state = instance.string_or("state", "");
    view.ready = instance.bool_or("ready", false);
    view.pid = instance.int_or("pid", 0);
    view.restarts = instance.int_or("restarts", 0);
    view.since_usec = instance.int_or("sinceUSec", 0);
    view.state_since_usec = instance.int_or("stateSinceUSec", 0);
    view.start_cause = instance.string_or("startCause", "");
    view.next_start_usec = instance.int_or("nextStartUSec", 0);
    view.cause = instance.string_or("cause", "");
    view.awaits = instance.string_or("awaits", "");
    view.ready_due_usec = instance.int_or("readyDueUSec", 0);
    view.kill_due_usec = instance.int_or("killDueUSec", 0);
    view.starts_again = instance.bool_or("startsAgain", false);
    view.leaves = instance.bool_or("leaves", false);
    view.serves = instance.bool_or("serves", false);
    view.connections = instance.int_or("connections", -1);
    view.connections_begun = instance.int_or("connectionsBegun", 0);
    view.max_connections = instance.int_or("maxConnections", 0);
    view.watchdog_usec = instance.int_or("watchdogUSec", 0);
    view.sign_of_life_usec = instance.int_or("signOfLifeUSec", 0);
    view.watchdog_off = instance.bool_or("watchdogOff", false);
    view.health = instance.string_or("health", "");
    view.health_since_usec = instance.int_or("healthSinceUSec", 0);
    view.health_problem = instance.string_or("healthProblem", "");
    view.health_restarts = instance.int_or("healthRestarts", 0);
    view.health_restart_due_usec = instance.int_or("healthRestartDueUSec", 0);
    view.file_instances = instance.int_or("fileInstances", 0);
    view.scaled_instances = instance.int_or("scaledInstances", 0);
    view.status_text = instance.string_or("statusText", "");
    view.output_problem = instance.string_or("outputProblem", "");
    view.changed = changed_text(instance);
    view.not_enforced = not_enforced_lines(instance);
    view.description = instance.string_or("description", "");
    view.owner = instance.string_or("owner", "");
    view.group = instance.string_or("group", "");
    if (const auto* code = instance.find("exitCode"); code != nullptr && code->as_int() != nullptr) {
        view.exit_code = *code->as_int();
    }
    view.exit_signal = instance.string_or("exitSignal", "");
    view.last_run = EndedRun::of(instance, "lastRun");
    view.usage = UsageView::of(instance);
    return view;
}

std::string changed_text(const json::Value& instance) {
    const json::Value* list = instance.find("changedKeys");
    if (list == nullptr || list->as_array() == nullptr) return {};
    std::string keys;
    for (const auto& entry : *list->as_array()) {
        if (const auto* key = entry.as_string()) keys += (keys.empty() ? "" : ", ") + escaped(*key);
    }
    return "its settings have changed (" + keys + "); restart it to use them: procsupctl restart " +
           shell_quoted(escaped(instance.string_or("name", "")));
}

std::vector<std::string> not_enforced_lines(const json::Value& instance) {
    std::vector<std::string> lines;
    const json::Value* list = instance.find("notEnforced");
    if (list == nullptr || list->as_array() == nullptr) return lines;
    for (const auto& entry : *list->as_array()) {
        lines.push_back("not enforced: " + escaped(entry.string_or("key", "")) + " = " +
                        escaped(entry.string_or("value", "")) + " (" + escaped(entry.string_or("reason", "")) + ")");
    }
    return lines;
}

std::vector<InstanceView> instances_of(const json::Value& reply) {
    std::vector<InstanceView> result;
    const json::Value* list = reply.find("instances");
    const auto* array = list == nullptr ? nullptr : list->as_array();
    if (array == nullptr) return result;
    result.reserve(array->size());
    for (const auto& instance : *array) result.push_back(InstanceView::of(instance));
    const auto before = [](const InstanceView& a, const InstanceView& b) {
        return a.job == b.job ? natural_less(a.name, b.name) : natural_less(a.job, b.job);
    };
    if (!std::is_sorted(result.begin(), result.end(), before)) std::sort(result.begin(), result.end(), before);
    return result;
}

std::vector<JobRow> job_rows(const std::vector<InstanceView>& instances) {
    std::vector<JobRow> rows;
    for (auto first = instances.begin(); first != instances.end();) {
        const auto last = std::find_if(first, instances.end(), [&](const auto& one) { return one.job != first->job; });
        rows.emplace_back();
        rows.back().name = first->job;
        const bool stays = std::any_of(first, last, [](const auto& one) { return !one.leaves; });
        const bool listens = std::any_of(first, last, [](const auto& one) { return !one.serves; });
        for (; first != last; ++first) {
            if (listens && first->serves) {
                rows.back().failed_connections += first->state == "failed" ? 1 : 0;
                rows.back().usage.add(first->usage);
            } else if (stays && first->leaves) {
                ++rows.back().leaving;
                rows.back().usage.add(first->usage);
            } else {
                add_to_row(rows.back(), *first);
            }
        }
    }
    return rows;
}

bool does_its_work(const InstanceView& instance) {
    if (instance.state == "paused") return false;
    return instance.ready || (instance.state == "running" && instance.awaits.empty());
}

std::string symbol(const InstanceView& instance, const Output& out) {
    const Color color = color_of(instance);
    switch (color) {
        case Color::Green: return out.colored(color, "*");
        case Color::Red: return out.colored(color, "x");
        case Color::Yellow: return out.colored(color, "~");
        case Color::Dim: return out.colored(color, "-");
    }
    return "-";
}

std::string colored_state(const InstanceView& instance, const Output& out) {
    return out.colored(color_of(instance), escaped(instance.state));
}

std::string job_table(const std::vector<JobRow>& rows, std::int64_t now_usec, const Output& out) {
    StateTable table(std::any_of(rows.begin(), rows.end(), [](const JobRow& row) { return row.usage.known(); }));
    for (const JobRow& row : rows) {
        const InstanceView& worst = *row.worst;
        std::string text = detail(worst, now_usec);
        const auto in_file = worst.file_instances;
        if (row.instances > 1 || in_file != 0 || row.leaving > 0) {
            std::string prefix = instances_text(static_cast<std::int64_t>(row.instances));
            if (in_file != 0) prefix += " (file says " + std::to_string(in_file) + ")";
            if (row.leaving > 0) prefix += ", " + std::to_string(row.leaving) + " more on the way out";
            if (!text.empty()) prefix += "; " + escaped(worst.name) + ": ";
            text.insert(0, prefix);
        }
        if (row.failed_connections > 0)
            text += "; " + std::to_string(row.failed_connections) + " failed: procsupctl status " + escaped(row.name);
        table.add(symbol(worst, out),
                  {escaped(row.name), state_cell(worst, out),
                   std::to_string(row.ready) + "/" + std::to_string(row.instances), age_of(row.since_usec, now_usec),
                   std::to_string(row.restarts), row.instances == 1 ? pid_text(worst.pid) : "-"},
                  row.usage, text);
    }
    return table.text();
}

std::string instance_table(const std::vector<InstanceView>& instances, std::int64_t now_usec, const Output& out) {
    StateTable table(
        std::any_of(instances.begin(), instances.end(), [](const auto& one) { return one.usage.known(); }));
    for (const InstanceView& instance : instances) {
        table.add(symbol(instance, out),
                  {escaped(instance.name), state_cell(instance, out), instance.ready ? "yes" : "no",
                   age_of(instance.since_usec, now_usec), std::to_string(instance.restarts), pid_text(instance.pid)},
                  instance.usage, detail(instance, now_usec));
    }
    return table.text();
}

std::string summary_line(const json::Value& daemon, const std::vector<JobRow>& rows) {
    std::string text = "procsupd " + escaped(daemon.string_or("version", "?")) + "  up " +
                       age_text(Duration(daemon.int_or("uptimeUSec", 0))) + "  jobs:";
    const char* separator = " ";
    for (const auto state : kSummaryOrder) {
        const auto count =
            std::count_if(rows.begin(), rows.end(), [&](const JobRow& row) { return row.worst->state == state; });
        if (count == 0) continue;
        text.append(separator).append(std::to_string(count)).append(" ").append(state);
        separator = ", ";
    }
    if (rows.empty()) text += " none";
    if (daemon.string_or("state", "running") == "stopping") text += "  (shutting down)";
    return text;
}

std::string next_command(const std::vector<JobRow>& rows) {
    for (const std::string_view state : {"failed", "backoff"}) {
        const auto found =
            std::find_if(rows.begin(), rows.end(), [&](const JobRow& row) { return row.worst->state == state; });
        if (found != rows.end()) return "procsupctl why " + shell_quoted(escaped(found->worst->name));
    }
    return {};
}

std::string waiting_text(const InstanceView& instance, std::string_view goal, std::int64_t now_usec) {
    const auto is = [&](std::initializer_list<std::string_view> states) {
        return std::find(states.begin(), states.end(), instance.state) != states.end();
    };
    const bool at_rest = is({"stopped", "exited", "failed"});
    const bool reached = goal == "ready"     ? does_its_work(instance) || instance.state == "failed"
                         : goal == "healthy" ? instance.health == "healthy" || instance.state == "failed"
                         : goal == "exit"    ? at_rest || instance.state == "backoff"
                                             : at_rest;
    if (reached) return {};
    const auto more = goal == "ready" || goal == "healthy" ? detail(instance, now_usec) : std::string();
    return "waiting for " + escaped(instance.name) + ", which is " + escaped(instance.state) +
           (more.empty() ? "" : ": " + more);
}

std::string instance_block(const InstanceView& instance, std::string_view command_line, std::int64_t now_usec,
                           const Output& out) {
    std::string text = symbol(instance, out) + " " + escaped(instance.name);
    if (!instance.description.empty() && instance.description != instance.name) {
        text += " - " + escaped(instance.description);
    }
    text += "\n    state: " + colored_state(instance, out) + (instance.ready ? " (ready)" : "");
    const bool for_a_while = instance.state == "paused" || instance.state == "reloading";
    if (for_a_while && instance.state_since_usec != 0) {
        text += " for " + age_text(Duration(now_usec - instance.state_since_usec)) + "; runs";
    }
    if (instance.since_usec != 0) {
        text += " since " + date_text(instance.since_usec) + "; " +
                to_text(std::chrono::floor<std::chrono::seconds>(Duration(now_usec - instance.since_usec)));
    }
    if (instance.pid > 0) {
        text += "\n      pid: " + std::to_string(instance.pid);
        if (!command_line.empty()) text += " " + escaped(command_line);
        if (instance.usage.tasks) text += "\n    tasks: " + std::to_string(*instance.usage.tasks);
    }
    if (!instance.status_text.empty()) text += "\n     says: " + escaped(instance.status_text);
    if (!instance.cause.empty()) {
        text += "\n    cause: " + escaped(instance.cause);
        if (instance.awaits.empty()) text += left_text(instance, now_usec);
    }
    if (!instance.start_cause.empty()) text += "\n    start: " + escaped(instance.start_cause);
    if (instance.file_instances != 0) {
        text += "\n   scaled: " + instances_text(instance.scaled_instances) + " by scale; the file of " +
                escaped(instance.job) + " says " + std::to_string(instance.file_instances);
    }
    if (!instance.awaits.empty()) text += "\n   awaits: " + awaits_text(instance, now_usec);
    if (instance.watchdog_usec != 0) text += "\n watchdog: " + watchdog_text(instance, now_usec);
    if (!instance.health.empty()) text += "\n   health: " + health_text(instance, now_usec);
    if (instance.watchdog_off) text += "\n watchdog: none: the job has switched it off for this run";
    if (instance.next_start_usec != 0) {
        text += "\n     next: start in " +
                age_text(Duration(std::max(instance.next_start_usec - now_usec, std::int64_t{0})));
    }
    if (const auto stop = stop_text(instance, now_usec); !stop.empty()) text += "\n     next: " + stop;
    if (!instance.output_problem.empty())
        text += "\n   " + out.colored(Color::Red, "output: ") + escaped(instance.output_problem);
    if (!instance.changed.empty()) text += "\n  " + out.colored(Color::Yellow, "changed: ") + instance.changed;
    for (const auto& line : instance.not_enforced) text += "\n  " + out.colored(Color::Yellow, line);
    const auto used = usage_text(instance.usage);
    text += "\n      res: " + used + (used.empty() ? "" : ", ") + "restarts " + std::to_string(instance.restarts);
    if (const auto last = exit_text(instance.exit_code, instance.exit_signal); !last.empty()) {
        text += "\n     exit: last: " + last;
        if (instance.last_run) text += last_run_lines(*instance.last_run);
    }
    if (!instance.owner.empty()) text += "\n    owner: " + escaped(instance.owner);
    if (!instance.group.empty()) text += "\n    group: " + escaped(instance.group);
    return text + "\n";
}

std::string exit_text(std::optional<std::int64_t> exit_code, std::string_view exit_signal) {
    if (!exit_signal.empty()) return "killed by " + escaped(exit_signal);
    if (!exit_code) return {};
    return to_text(ExitStatus::exited(static_cast<int>(*exit_code)));
}

void write_status_json(const json::Value& reply, json::Writer& writer) {
    writer.begin_object().key("daemon");
    if (const json::Value* daemon = reply.find("daemon")) {
        write_snake_case(*daemon, writer);
    } else {
        writer.null();
    }
    writer.key("instances").begin_array();
    if (const json::Value* list = reply.find("instances"); list != nullptr && list->as_array() != nullptr) {
        for (const auto& instance : *list->as_array()) write_instance_json(instance, writer);
    }
    writer.end_array();
    if (const json::Value* dependencies = reply.find("dependencies")) {
        writer.key("dependencies");
        write_snake_case(*dependencies, writer);
    }
    writer.end_object();
}

}  // namespace procsup::ctl
