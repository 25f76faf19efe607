#include <algorithm>
#include <string>

#include "ctl/clock.h"
#include "ctl/graph_text.h"
#include "ctl/handlers.h"
#include "ctl/instance_view.h"
#include "ctl/process_text.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kStatus = "io.procsupd.Manager.Status";

bool names_jobs(const Session& session) { return !session.line().operands.empty() || session.line().all; }

/// Parameters of Manager.Status: the operands, or everything if there are none, with what they use.
std::string with_usage(const CommandLine& line) {
    return names_parameters(line, 0, [](json::Writer& writer) { writer.member_bool("usage", true); });
}

/// Manager.Status; with --json the answer is printed.
std::optional<json::Value> call_status(Session& session, const std::string& parameters) {
    auto reply = session.call_raw(kStatus, parameters);
    if (!reply) return std::nullopt;
    if (!reply->error.empty()) {
        session.report(*reply);
        return std::nullopt;
    }
    if (session.line().json) {
        json::Writer writer;
        write_status_json(reply->parameters, writer);
        session.out().line(writer.text());
    }
    return std::move(reply->parameters);
}

int all_active(const std::vector<InstanceView>& instances) {
    const auto rows = job_rows(instances);
    return std::all_of(rows.begin(), rows.end(), [](const JobRow& row) { return row.works; }) ? kSuccess : kNotRunning;
}

const json::Value& daemon_of(const json::Value& reply) {
    static const json::Value kNone;
    const json::Value* daemon = reply.find("daemon");
    return daemon == nullptr ? kNone : *daemon;
}

/// Says that the newest configuration is not the one in force.
void add_problems(const json::Value& daemon, Output& out) {
    if (daemon.bool_or("rolledBack", false)) {
        out.line(out.colored(Color::Yellow, "rolled back: the files are newer; `procsupctl apply` takes them"));
    }
    const json::Value* problems = daemon.find("configProblems");
    if (problems == nullptr || problems->as_array() == nullptr || problems->as_array()->empty()) return;
    out.line(out.colored(Color::Yellow, "the newest configuration has errors; the one before stays in force:"));
    for (const auto& problem : *problems->as_array()) {
        if (const auto* text = problem.as_string()) out.line("  " + escaped(*text));
    }
}

/// How the processes of jobs are held together, and why not better.
std::string containment_text(const json::Value& daemon) {
    std::string text = escaped(daemon.string_or("containment", ""));
    const auto reason = daemon.string_or("containmentReason", "");
    if (text != "cgroup" && !reason.empty()) text += " (" + escaped(reason) + ")";
    return text;
}

/// What the job of an instance depends on, and what depends on it.
std::string dependencies_of(const json::Value& reply, std::string_view job, const Output& out) {
    const json::Value* list = reply.find("dependencies");
    if (list == nullptr || list->as_array() == nullptr) return {};
    for (const auto& one : *list->as_array()) {
        if (one.string_or("job", "") == job) return dependencies_text(one, out);
    }
    return {};
}

void add_overview(const json::Value& reply, const std::vector<InstanceView>& instances, Output& out) {
    const auto rows = job_rows(instances);
    out.line(summary_line(daemon_of(reply), rows));
    if (!rows.empty()) out.add(job_table(rows, realtime_usec(), out));
    add_problems(daemon_of(reply), out);
    const auto held = containment_text(daemon_of(reply));
    if (!held.empty() && held != "cgroup") out.line("jobs are held together by " + held);
    if (const auto next = next_command(rows); !next.empty()) out.line("hint: " + next);
}

/// The state alone of one that is asked for; of several with the name, as they are not in the order asked for.
void note_states(Session& session, const std::vector<InstanceView>& instances) {
    if (session.line().json) return;
    for (const auto& one : instances) {
        session.out().note((instances.size() > 1 ? escaped(one.name) + ": " : "") + escaped(one.state));
    }
}

/// One "name = value" a line, with the names of tables in front; values as JSON, which for these types is TOML too.
void add_settings(const std::string& prefix, const json::Value& value, std::string& text) {
    const auto* members = value.as_object();
    if (members == nullptr) {
        json::Writer writer;
        write_snake_case(value, writer);
        text += escaped(prefix) + " = " + escaped(writer.text()) + "\n";
        return;
    }
    for (const auto& [name, member] : *members) {
        add_settings(prefix.empty() ? snake_case(name) : prefix + "." + snake_case(name), member, text);
    }
}

}  // namespace

int status(Session& session) {
    if (!names_jobs(session)) return status_of_everything(session);
    const auto reply = call_status(session, with_usage(session.line()));
    if (!reply) return session.exit_code();
    const auto instances = instances_of(*reply);
    Output& out = session.out();
    if (!session.line().json && !out.quiet()) {
        const std::int64_t daemon_pid = daemon_of(*reply).int_or("pid", 0);
        for (std::size_t i = 0; i < instances.size(); ++i) {
            if (i > 0) out.line("");
            const std::string command_line = child_command_line(instances[i].pid, daemon_pid);
            out.add(instance_block(instances[i], command_line, realtime_usec(), out));
            const auto depends = dependencies_of(*reply, instances[i].job, out);
            if (!depends.empty()) out.line("     deps: " + depends);
            const auto held = containment_text(daemon_of(*reply));
            if (!held.empty()) out.line("     held: together by " + held);
        }
    }
    return all_active(instances);
}

int status_of_everything(Session& session) {
    const auto reply = call_status(session, R"({"usage":true})");
    if (!reply) return session.exit_code();
    if (!session.line().json && !session.out().quiet()) add_overview(*reply, instances_of(*reply), session.out());
    return kSuccess;
}

int list(Session& session) {
    const auto reply = call_status(session, with_usage(session.line()));
    if (!reply) return session.exit_code();
    if (!session.line().json) session.out().add(instance_table(instances_of(*reply), realtime_usec(), session.out()));
    return kSuccess;
}

int show(Session& session) {
    json::Writer parameters;
    parameters.begin_object().member("name", session.line().operands.front()).end_object();
    const auto reply = session.call("io.procsupd.Job.Show", parameters.text());
    if (!reply) return session.exit_code();
    if (session.line().json) return kSuccess;
    std::string text;
    if (const auto* settings = reply->find("settings")) add_settings("", *settings, text);
    if (const auto* instances = reply->find("instances"); instances != nullptr && instances->as_array() != nullptr) {
        for (const auto& instance : *instances->as_array()) {
            text += "\n[" + escaped(instance.string_or("name", "")) + "]\n";
            if (const auto* members = instance.as_object()) {
                for (const auto& [name, value] : *members) {
                    if (name != "notEnforced" && name != "changedKeys") add_settings(snake_case(name), value, text);
                }
            }
            if (const auto changed = changed_text(instance); !changed.empty()) text += changed + "\n";
            for (const auto& line : not_enforced_lines(instance)) text += line + "\n";
        }
    }
    session.out().add(text);
    return kSuccess;
}

int cat(Session& session) {
    json::Writer parameters;
    parameters.begin_object().member("name", session.line().operands.front()).end_object();
    const auto reply = session.call("io.procsupd.Job.Cat", parameters.text());
    if (!reply) return session.exit_code();
    if (session.line().json) return kSuccess;
    Output& out = session.out();
    const std::string_view text = reply->string_or("text", "");
    if (const auto origin = reply->string_or("origin", ""); !origin.empty()) out.line("# " + escaped(origin));
    // A file gets the text as it is; a terminal must not obey it.
    out.add(out.to_terminal() ? escaped(text, true) : std::string(text));
    if (!text.empty() && text.back() != '\n') out.line("");
    return kSuccess;
}

int is_active(Session& session) {
    const auto reply = call_status(session, names_parameters(session.line()));
    if (!reply) return session.exit_code();
    const auto instances = instances_of(*reply);
    note_states(session, instances);
    return all_active(instances);
}

int is_failed(Session& session) {
    const auto reply = call_status(session, names_parameters(session.line()));
    if (!reply) return session.exit_code();
    const auto instances = instances_of(*reply);
    note_states(session, instances);
    const bool failed = std::any_of(instances.begin(), instances.end(),
                                    [](const InstanceView& instance) { return instance.state == "failed"; });
    return failed ? kSuccess : kFailed;
}

}  // namespace procsup::ctl
