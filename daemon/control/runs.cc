#include "daemon/control/runs.h"

#include <string.h>

#include <algorithm>
#include <utility>

#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

std::vector<std::string> strings_of(const json::Value& parameters, std::string_view key) {
    std::vector<std::string> result;
    if (const auto* list = parameters.find(key)) {
        for (const auto& text : *list->as_array()) result.push_back(*text.as_string());
    }
    return result;
}

/// Verbatim: what a caller passes has no placeholders.
std::string verbatim(std::string text) {
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) text.insert(at, "$");
    return text;
}

bool is_job_name(std::string_view name) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return !name.empty() && name.size() <= 64 && name.front() != '-' && name.front() != '.' &&
           name.find_first_not_of(kAllowed) == std::string_view::npos;
}

void write_run(json::Writer& writer, const Instance& instance) {
    writer.begin_object().member("name", instance.name().instance).member("state", to_text(instance.state()));
    if (instance.pid() > 0) writer.member_int("pid", instance.pid());
    write_exit(writer, is_live(instance.state()) ? std::nullopt : instance.last_exit());
    writer.member("cause", instance.cause()).end_object();
}

}  // namespace

/// Once, by its caller's rights: an administrator's command gets the daemon's, any other its caller's own.
JobSpec Runs::spec_for(varlink::PendingCall& call, const JobSpec* like) {
    JobSpec spec = like != nullptr ? *like : JobSpec{};
    const auto& parameters = call.parameters();
    const auto& peer = call.peer();
    spec.name = parameters.string_or("name", "");
    if (spec.name.empty()) spec.name = "run-" + std::to_string(next_name_++);
    spec.description.clear();
    spec.origin = "run";
    spec.program.clear();
    spec.command.clear();
    for (auto& word : strings_of(parameters, "command")) spec.command.push_back(verbatim(std::move(word)));
    if (parameters.find("env") != nullptr) {
        spec.env.clear();
        for (auto& entry : strings_of(parameters, "env")) {
            if (!entry.starts_with("PROCSUPD_")) spec.env.push_back(verbatim(std::move(entry)));
        }
    }
    if (spec.env.empty()) spec.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    const auto directory = parameters.string_or("workingDir", "");
    if (!directory.empty()) spec.working_dir = verbatim(std::string(directory));
    if (spec.working_dir.empty()) spec.working_dir = "/";
    spec.type = JobType::Oneshot;
    spec.restart = RestartPolicy{};
    spec.restart.when = Restart::No;
    spec.essential = false;
    spec.instances.clear();
    spec.run_timeout = kForever;
    spec.stdin_stream = {Stream::Kind::Null, {}};
    spec.stdout_stream = spec.stderr_stream = {Stream::Kind::Inherit, {}};
    spec.owner = peer.uid;
    if (like == nullptr && context_.access.tier_of(peer) != Tier::Admin) {
        spec.credentials = Credentials{peer.uid, peer.gid, peer.groups};
    }
    return spec;
}

/// A command in a job's name has the rights of the job's user: operating a job, or owning it, is not enough for that.
bool Runs::may_run(const varlink::Peer& peer, const JobSpec* like) const {
    if (like == nullptr) return context_.access.allows(peer, Tier::Operate);
    if (context_.access.tier_of(peer) == Tier::Admin) return true;
    return like->credentials && like->credentials->uid == peer.uid && context_.access.allows(peer, Tier::Operate, like);
}

void Runs::begin(varlink::PendingCall call) {
    if (!open_for_work(context_, call)) return;
    const auto& parameters = call.parameters();
    const JobSpec* like = nullptr;
    if (const auto name = parameters.string_or("like", ""); !name.empty()) {
        const auto ids = context_.supervisor.select(name);
        if (ids.empty()) return fail_no_such_job(context_, call, name);
        like = &context_.supervisor.find(ids.front())->spec();
    }
    if (!may_run(call.peer(), like)) {
        call.fail(error_name(call, "PermissionDenied"),
                  like != nullptr ? "uid " + std::to_string(call.peer().uid) + " may not run commands as the user of '" +
                                        like->name + "', which only that user and administrators may"
                                  : Access::refusal(call.peer(), Tier::Operate));
        return;
    }
    auto spec = spec_for(call, like);
    if (spec.command.empty() || spec.command.front().empty()) return call.fail_invalid_parameter("command");
    if (!is_job_name(spec.name)) return call.fail_invalid_parameter("name");
    const auto job_name = spec.name;
    auto fds = call.take_fds();
    if (!fds.empty() && fds.size() != 3) return call.fail_invalid_parameter("fds");
    if (!context_.supervisor.select(job_name).empty()) {
        call.fail(error_name(call, "NameTaken"), "a job is called '" + job_name + "' already");
        return;
    }
    if (!fds.empty()) {
        context_.host.attach_streams(job_name, {std::move(fds[0]), std::move(fds[1]), std::move(fds[2])});
    }
    const auto id =
        context_.supervisor.run_transient(std::move(spec), asked_by("run", call.peer()), context_.loop.now());
    if (!id) {
        context_.host.discard_streams(job_name);
        call.fail(error_name(call, "NameTaken"), id.error().message);
        return;
    }
    Run& run = runs_.emplace_back(Run{call, *id, parameters.bool_or("detach", false), false, false});
    call.when_gone([this, &run] {
        run.done = changed_ = true;
        if (!run.detached) context_.supervisor.stop(run.id, "its caller went away", context_.loop.now());
    });
}

void Runs::changed(InstanceId id) {
    changed_ = changed_ || std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) { return run.id == id; });
}

void Runs::settle() {
    if (!std::exchange(changed_, false)) return;
    for (auto& run : runs_) look_at(run);
    runs_.remove_if([](const Run& run) { return run.done; });
}

void Runs::look_at(Run& run) {
    const auto* instance = context_.supervisor.find(run.id);
    if (run.done || instance == nullptr) return;
    if (instance->state() == State::Running && !run.told_start) {
        run.told_start = true;
        json::Writer writer;
        write_run(writer, *instance);
        if (run.detached) {
            run.done = true;
            run.call.reply(writer.text());
        } else if (run.call.call().more) {
            run.call.reply_continues(writer.text());
        }
    }
    if (!is_live(instance->state()) && !run.done) tell_end(run, *instance);
}

void Runs::tell_end(Run& run, const Instance& instance) {
    run.done = true;
    json::Writer writer;
    const auto failure = instance.start_failure();
    if (failure.stage == SpawnStage::None || failure.stage == SpawnStage::Cancelled) {
        write_run(writer, instance);
        run.call.reply(writer.text());
        return;
    }
    writer.begin_object().member("name", instance.name().instance);
    writer.member("stage", describe(failure.stage, instance.spec()));
    writer.member("errnoName", strerrorname_np(failure.os_error)).member("message", instance.cause()).end_object();
    run.call.fail_with(error_name(run.call, "StartFailed"), writer.text());
}

}  // namespace procsup
