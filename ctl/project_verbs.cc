#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ctl/handlers.h"
#include "ctl/instance_view.h"
#include "ctl/project_daemon.h"
#include "ctl/session.h"
#include "ctl/shutdown.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

std::string project_file(const Session& session) {
    const auto& operands = session.line().operands;
    return operands.empty() ? session.surroundings().project_file : std::string(operands.front());
}

/// The settings say whether a job is meant to run; a job that does not show them to us is left alone.
bool is_enabled(Session& session, std::string_view job) {
    json::Writer parameters;
    parameters.begin_object().member("name", job).end_object();
    const auto reply = session.call_raw("io.procsupd.Job.Show", parameters.text());
    if (!reply || !reply->error.empty()) return false;
    const json::Value* settings = reply->parameters.find("settings");
    return settings != nullptr && settings->bool_or("enabled", true);
}

/// Enabled jobs with an instance that neither does its work nor is on the way.
std::vector<std::string> jobs_to_start(Session& session, const json::Value& status) {
    std::vector<std::string> result;
    const auto instances = instances_of(status);
    std::string_view looked_at;
    for (const auto& instance : instances) {
        const bool down = instance.state == "stopped" || instance.state == "failed" || instance.state == "exited";
        if (!down || instance.ready || instance.job == looked_at) continue;
        looked_at = instance.job;
        if (is_enabled(session, instance.job)) result.emplace_back(instance.job);
    }
    return result;
}

/// Reads the project file again in the supervisor that runs, and starts what should run and does not.
int apply_again(Session& session) {
    const auto reloaded = session.call_raw("io.procsupd.Manager.Reload", "");
    if (!reloaded) return session.exit_code();
    if (!reloaded->error.empty()) return session.report(*reloaded);
    const auto state = session.call_raw("io.procsupd.Manager.Status", "");
    if (!state) return session.exit_code();
    if (!state->error.empty()) return session.report(*state);
    const auto names = jobs_to_start(session, state->parameters);
    if (names.empty()) return kSuccess;
    json::Writer parameters;
    parameters.begin_object().key("names").begin_array();
    for (const auto& name : names) parameters.string(name);
    parameters.end_array();
    if (session.line().no_wait) parameters.member_bool("wait", false);
    if (session.line().timeout) parameters.member_int("timeoutUSec", session.line().timeout->count());
    const auto started = session.call_raw("io.procsupd.Job.Start", parameters.end_object().take());
    if (!started) return session.exit_code();
    return started->error.empty() ? kSuccess : session.report(*started);
}

int report_ended_start(Session& session, const Project& project, const ProjectStart& start) {
    std::string log = escaped(start.log, true);
    while (!log.empty() && log.back() == '\n') log.pop_back();
    if (!log.empty()) session.out().message(log);
    if (start.exit_code == kBadConfiguration) {
        session.out().error(escaped(project.file) + " cannot be used");
        return kBadConfiguration;
    }
    session.out().error("procsupd ended at once (exit " + std::to_string(start.exit_code) + ")");
    session.out().hint("its log: " + escaped(project.log()));
    return kFailed;
}

/// So that the status shown next is not that of the first instant. Short: a job that is slow or crashes is shown as it is.
void wait_a_moment(Session& session) {
    const auto state = session.call_raw("io.procsupd.Manager.Status", "");
    if (!state || !state->error.empty()) return;
    json::Writer parameters;
    parameters.begin_object().key("names").begin_array();
    std::size_t count = 0;
    for (const auto& instance : instances_of(state->parameters)) {
        if (instance.state != "starting") continue;
        parameters.string(instance.name);
        ++count;
    }
    constexpr std::int64_t kMomentUSec = 2'000'000;
    parameters.end_array().member("for", "ready").member_int("timeoutUSec", kMomentUSec).end_object();
    if (count > 0 && count <= 1000) (void)session.call_raw("io.procsupd.Job.Wait", parameters.text());
}

int start_project(Session& session, const Project& project) {
    const std::string program = find_procsupd();
    if (program.empty()) {
        return session.fail(Error{"cannot find procsupd beside procsupctl or in PATH"});
    }
    const Duration limit = session.line().timeout.value_or(std::chrono::seconds(90));
    const auto start = start_project_daemon(project, program, session.surroundings().uid, limit);
    if (!start) return session.fail(start.error());
    switch (start->outcome) {
        case ProjectStart::Outcome::Ready:
            if (!session.line().no_wait) wait_a_moment(session);
            return kSuccess;
        case ProjectStart::Outcome::Ended:
            // Somebody else's `up` can have come first; then theirs is the one.
            return session.client_if_up() != nullptr ? apply_again(session)
                                                     : report_ended_start(session, project, *start);
        case ProjectStart::Outcome::TimedOut: break;
    }
    session.out().error("procsupd is not ready after " + to_text(limit));
    session.out().hint("its log: " + escaped(project.log()));
    return kTimedOut;
}

}  // namespace

int up(Session& session) {
    const auto project = Project::of(project_file(session), session.surroundings());
    if (!project) return session.fail(project.error());
    if (access(project->file.c_str(), F_OK) != 0) return session.fail(os_failure("find " + project->file, errno));
    session.use_socket(project->socket());
    const int code = session.client_if_up() != nullptr ? apply_again(session) : start_project(session, *project);
    if (code != kSuccess) return code;
    // What follows is `status` of everything, whatever the operand of `up` was.
    return status_of_everything(session);
}

int down(Session& session) {
    const auto project = Project::of(project_file(session), session.surroundings());
    if (!project) return session.fail(project.error());
    session.use_socket(project->socket());
    if (session.client_if_up() == nullptr) {
        session.out().note("not running");
        return kSuccess;
    }
    return shut_down_and_wait(session);
}

namespace {

/// What the supervisor that runs the file, or else the one that answers, says it can enforce; empty: none does. Nothing: it hangs, which was
/// reported.
std::optional<std::string> abilities_of_supervisor(Session& session, const std::string& file) {
    const bool chosen = !session.line().socket.empty() || session.line().user;
    const auto project = Project::of(file, session.surroundings());
    if (project && !chosen) session.use_socket(project->socket());
    if (session.client_if_up() == nullptr && !chosen) session.use_socket({});
    if (session.client_if_up() == nullptr) return std::string();
    const auto reply = session.call_raw("io.procsupd.Manager.GetAbilities", "");
    if (!reply) return std::nullopt;
    // One that is older, or does not tell us, is as none.
    const auto* abilities = reply->error.empty() ? reply->parameters.find("abilities") : nullptr;
    return abilities == nullptr ? std::string() : json::to_text(*abilities);
}

/// Returns only when it has failed: the exit code.
int become_procsupd(Session& session, std::vector<std::string> words) {
    const std::string program = find_procsupd();
    if (program.empty()) return session.fail(Error{"cannot find procsupd beside procsupctl or in PATH"});
    words.insert(words.begin(), "procsupd");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    session.out().flush();
    execv(program.c_str(), argv.data());
    return session.fail(os_failure("execute " + program, errno));
}

}  // namespace

int check(Session& session) {
    const std::string file = project_file(session);
    std::vector<std::string> words{"--check"};
    if (session.line().json) words.emplace_back("--json");
    if (session.line().here) {
        const auto abilities = abilities_of_supervisor(session, file);
        if (!abilities) return session.exit_code();
        words.push_back(abilities->empty() ? "--here" : "--here=" + *abilities);
        if (!session.line().json && !session.out().quiet()) {
            session.out().message(abilities->empty() ? "no supervisor answers: here is what a new one could enforce"
                                                     : "here is what the supervisor at " +
                                                           escaped(session.socket_path()) + " can enforce");
        }
    }
    words.emplace_back("--");
    const auto& operands = session.line().operands;
    words.insert(words.end(), operands.begin(), operands.end());
    // Without a project here it looks where procsupd looks by itself.
    if (operands.empty() && access(file.c_str(), F_OK) == 0) words.push_back(file);
    return become_procsupd(session, std::move(words));
}

int schema(Session& session) { return become_procsupd(session, {"--print-schema"}); }

}  // namespace procsup::ctl
