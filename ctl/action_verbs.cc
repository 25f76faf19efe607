#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>

#include "common/signal_name.h"
#include "ctl/clock.h"
#include "ctl/ended_run.h"
#include "ctl/handlers.h"
#include "ctl/instance_view.h"
#include "ctl/session.h"
#include "ctl/text.h"
#include "ctl/why.h"

namespace procsup::ctl {
namespace {

const json::Value::Array& outcomes_of(const json::Value& reply) {
    static const json::Value::Array kNone;
    const json::Value* list = reply.find("outcomes");
    const auto* array = list == nullptr ? nullptr : list->as_array();
    return array == nullptr ? kNone : *array;
}

/// "web: running (pid 4711)", "mailer: failed: exit 78", "web: start failed: exit 3; it is started again".
std::string outcome_text(const json::Value& outcome) {
    constexpr std::string_view kRestarted = "restarted after ";
    if (const auto cause = outcome.string_or("cause", "");
        !outcome.bool_or("ok", false) && cause.starts_with(kRestarted)) {
        return escaped(outcome.string_or("name", "")) + ": start failed: " + escaped(cause.substr(kRestarted.size())) +
               "; it is started again";
    }
    std::string text = escaped(outcome.string_or("name", "")) + ": " + escaped(outcome.string_or("state", ""));
    if (const auto pid = outcome.int_or("pid", 0); pid > 0) text += " (pid " + std::to_string(pid) + ")";
    if (const auto missing = outcome.string_or("missing", ""); !missing.empty()) return text + ": " + escaped(missing);
    const auto cause = outcome.string_or("cause", "");
    if (!outcome.bool_or("ok", false) && !cause.empty()) text += ": " + escaped(cause);
    return text;
}

bool blames_reload_command(std::string_view cause) { return cause.starts_with("reload_command failed: "); }

bool blames_command(std::string_view cause) {
    return blames_reload_command(cause) || cause.starts_with("its stop_command failed: ");
}

/// What the job has written last, its reload_command too, which has failed.
std::string last_words(Session& session, std::string_view name) {
    json::Writer parameters;
    parameters.begin_object().member("name", name).end_object();
    const auto reply = session.call_raw("io.procsupd.Job.Why", parameters.text());
    if (!reply || !reply->error.empty()) return {};
    auto text = newest_lines_text(reply->parameters, "  ");
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

using OutcomeText = std::function<std::string(const json::Value&)>;

/// Prints what came of every instance: successes as results, the others on standard error.
int report_outcomes(Session& session, const json::Value& reply, const OutcomeText& success = outcome_text) {
    bool all_ok = true;
    std::string_view first_bad, look = "why";
    for (const auto& outcome : outcomes_of(reply)) {
        if (outcome.bool_or("ok", false)) {
            if (!session.line().json) session.out().note(success(outcome));
            continue;
        }
        // Of what was refused the job itself knows nothing.
        if (first_bad.empty() && !outcome.bool_or("refused", false)) {
            first_bad = outcome.string_or("name", "");
            // What a command has written says more than how it has ended.
            if (blames_command(outcome.string_or("cause", ""))) look = "logs";
        }
        all_ok = false;
        if (session.line().json) continue;
        session.out().message(outcome_text(outcome));
        if (!blames_reload_command(outcome.string_or("cause", ""))) continue;
        if (const auto words = last_words(session, outcome.string_or("name", "")); !words.empty())
            session.out().message(words);
    }
    if (all_ok) return kSuccess;
    if (!session.line().json && !first_bad.empty())
        session.out().hint("procsupctl " + std::string(look) + " " + shell_quoted(escaped(first_bad)));
    return kFailed;
}

/// An error reply can carry how far everything came.
std::optional<json::Value> call_for_outcomes(Session& session, std::string_view method, const std::string& parameters) {
    auto reply = session.call_raw(method, parameters);
    if (!reply) return std::nullopt;
    if (reply->error.empty()) {
        if (session.line().json) session.print_json(reply->parameters);
        return std::move(reply->parameters);
    }
    if (!session.line().json) {
        for (const auto& outcome : outcomes_of(reply->parameters)) session.out().message(outcome_text(outcome));
    }
    session.report(*reply);
    return std::nullopt;
}

int act(Session& session, std::string_view method, const std::string& parameters,
        const OutcomeText& success = outcome_text) {
    const auto reply = call_for_outcomes(session, method, parameters);
    return reply ? report_outcomes(session, *reply, success) : session.exit_code();
}

void write_timeout(const CommandLine& line, json::Writer& writer) {
    if (line.timeout) writer.member_int("timeoutUSec", line.timeout->count());
}

void write_waiting(const CommandLine& line, json::Writer& writer) {
    if (line.no_wait) writer.member_bool("wait", false);
    write_timeout(line, writer);
}

int act_and_wait(Session& session, std::string_view method) {
    const CommandLine& line = session.line();
    return act(session, method, names_parameters(line, 0, [&](json::Writer& writer) {
                   if (line.cascade) writer.member_bool("cascade", true);
                   write_waiting(line, writer);
               }));
}

/// Each instance is told as soon as it is up.
int restart_rolling(Session& session, std::string_view job) {
    const CommandLine& line = session.line();
    json::Writer parameters;
    parameters.begin_object().member("name", job);
    write_waiting(line, parameters);
    constexpr std::string_view kMethod = "io.procsupd.Job.RestartRolling";
    const auto text = parameters.end_object().take();
    if (line.json) return session.call(kMethod, text) ? kSuccess : session.exit_code();
    const auto tell = [&](const json::Value& reply) {
        if (!reply.bool_or("done", false)) {
            for (const auto& outcome : outcomes_of(reply)) session.out().note(outcome_text(outcome));
        } else if (const auto note = reply.string_or("note", ""); !note.empty()) {
            session.out().note(escaped(note));
        }
        return true;
    };
    return session.call_more(kMethod, text, tell) ? kSuccess : session.exit_code();
}

/// "importer exited 3 after 12.4s", "web killed by SIGKILL".
std::string ending_text(const json::Value& outcome) {
    const std::string_view name = outcome.string_or("name", "");
    std::string text = escaped(name);
    if (const auto signal = outcome.string_or("exitSignal", ""); !signal.empty()) {
        text += " killed by " + escaped(signal);
    } else if (const auto* code = outcome.find("exitCode"); code != nullptr && code->as_int() != nullptr) {
        text += " exited " + std::to_string(*code->as_int());
    } else {
        const auto cause = outcome.string_or("cause", "");
        return text + " is " + escaped(outcome.string_or("state", "")) + (cause.empty() ? "" : ": " + escaped(cause));
    }
    if (const auto run = EndedRun::of(outcome, "lastRun")) text += " after " + span_text(run->lasted());
    return text;
}

/// The child's own code, or 128 + signal; a failure where nothing has run, or it is not known how that has ended.
int code_of(const json::Value& outcome) {
    if (outcome.find("exitSignal") == nullptr && outcome.find("exitCode") == nullptr) return kFailed;
    if (const auto signal = parse_signal(outcome.string_or("exitSignal", ""))) return 128 + *signal;
    return static_cast<int>(outcome.int_or("exitCode", 0));
}

int report_ends(Session& session, const json::Value& reply) {
    int code = kSuccess;
    for (const auto& outcome : outcomes_of(reply)) {
        if (code == kSuccess) code = code_of(outcome);
        if (!session.line().json && !session.out().quiet()) session.out().line(ending_text(outcome));
    }
    return code;
}

/// To a person, who else would see nothing until it is over.
void tell_what_is_waited_for(Session& session) {
    const CommandLine& line = session.line();
    if (line.json || session.out().quiet() || isatty(STDERR_FILENO) == 0) return;
    const auto status = session.call_raw("io.procsupd.Manager.Status", names_parameters(line));
    if (!status || !status->error.empty()) return;
    for (const auto& instance : instances_of(status->parameters)) {
        const auto text = waiting_text(instance, line.wait_for, realtime_usec());
        if (!text.empty()) session.out().message(text);
    }
}

}  // namespace

int start(Session& session) { return act_and_wait(session, "io.procsupd.Job.Start"); }

int stop(Session& session) { return act_and_wait(session, "io.procsupd.Job.Stop"); }

int restart(Session& session) {
    if (!session.line().rolling) return act_and_wait(session, "io.procsupd.Job.Restart");
    for (const auto job : session.line().operands) {
        if (const int code = restart_rolling(session, job); code != kSuccess) return code;
    }
    return kSuccess;
}

int scale(Session& session) {
    const CommandLine& line = session.line();
    const auto job = line.operands.front();
    json::Writer parameters;
    parameters.begin_object().member("name", job).member_int("instances", line.count);
    write_waiting(line, parameters);
    const auto reply = call_for_outcomes(session, "io.procsupd.Job.Scale", parameters.end_object().take());
    if (!reply) return session.exit_code();
    const int code = report_outcomes(session, *reply);
    if (code == kSuccess && !line.json) {
        session.out().note(escaped(job) + ": " + std::to_string(line.count) +
                           (line.count == 1 ? " instance" : " instances"));
    }
    return code;
}

int check_health(Session& session) {
    const auto found = [](const json::Value& outcome) {
        return escaped(outcome.string_or("name", "")) + ": " + escaped(outcome.string_or("cause", ""));
    };
    return act(
        session, "io.procsupd.Job.CheckHealth",
        names_parameters(session.line(), 0, [&](json::Writer& writer) { write_timeout(session.line(), writer); }),
        found);
}

int reload(Session& session) {
    const CommandLine& line = session.line();
    if (line.operands.empty() && line.no_wait) {
        session.out().error("--no-wait is for: procsupctl reload JOB");
        return kUsage;
    }
    if (line.operands.empty()) return apply(session);
    const auto done = [](const json::Value& outcome) {
        return escaped(outcome.string_or("name", "")) + ": " + escaped(outcome.string_or("cause", "")) + " (pid " +
               std::to_string(outcome.int_or("pid", 0)) + ")";
    };
    return act(session, "io.procsupd.Job.Reload",
               names_parameters(line, 0, [&](json::Writer& writer) { write_waiting(line, writer); }), done);
}

int signal_jobs(Session& session) {
    const std::string_view wanted = session.line().operands.front();
    const auto number = parse_signal(wanted);
    if (!number) {
        session.out().error("'" + escaped(wanted) + "' is not a signal (as in: procsupctl signal HUP web)");
        return kUsage;
    }
    const auto sent = [&](const json::Value& outcome) {
        const auto command = escaped(outcome.string_or("command", ""));
        return escaped(outcome.string_or("name", "")) + ": " + signal_name(*number) + " sent to " +
               (command.empty() ? "pid " : "its " + command + ", pid ") + std::to_string(outcome.int_or("pid", 0));
    };
    return act(session, "io.procsupd.Job.Signal",
               names_parameters(session.line(), 1, [&](json::Writer& writer) { writer.member("signal", wanted); }),
               sent);
}

int pause_jobs(Session& session) { return act(session, "io.procsupd.Job.Pause", names_parameters(session.line())); }

int resume(Session& session) { return act(session, "io.procsupd.Job.Resume", names_parameters(session.line())); }

int reset(Session& session) { return act(session, "io.procsupd.Job.Reset", names_parameters(session.line())); }

int wait_for_jobs(Session& session) {
    const CommandLine& line = session.line();
    const std::string parameters = names_parameters(line, 0, [&](json::Writer& writer) {
        writer.member("for", line.wait_for);
        write_timeout(line, writer);
    });
    tell_what_is_waited_for(session);
    const auto reply = call_for_outcomes(session, "io.procsupd.Job.Wait", parameters);
    if (!reply) return session.exit_code();
    return line.wait_for == "exit" ? report_ends(session, *reply) : report_outcomes(session, *reply);
}

}  // namespace procsup::ctl
