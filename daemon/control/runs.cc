#include "daemon/control/runs.h"

#include <sys/resource.h>

#include <string.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

constexpr std::ptrdiff_t kMostRuns = 4096;

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

/// What ${job:instance} is in the settings of a job with one instance is its name, also in a command that runs as it does.
void name_instance(std::string& text, const std::string& name) {
    constexpr std::string_view kPlaceholder = "${job:instance}";
    for (auto at = text.find(kPlaceholder); at != std::string::npos; at = text.find(kPlaceholder, at + 1)) {
        const bool is_escaped = at > 0 && text[at - 1] == '$';
        if (!is_escaped) text.replace(at, kPlaceholder.size(), name);
    }
}

void name_instance(JobSpec& spec) {
    for (auto& entry : spec.env) name_instance(entry, spec.name);
    for (auto& credential : spec.credentials) name_instance(credential.path, spec.name);
    for (auto& dir : spec.dirs) name_instance(dir.name, spec.name);
    for (auto& path : spec.sandbox.paths) name_instance(path.path, spec.name);
    name_instance(spec.working_dir, spec.name);
}

bool is_job_name(std::string_view name) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return !name.empty() && name.size() <= 64 && name.front() != '-' && name.front() != '.' &&
           name.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// Capabilities, or a place before others, that its user could not get alone.
bool has_more_than_its_user(const JobSpec& spec) {
    const auto is_realtime_limit = [](const ResourceLimit& limit) {
        return limit.resource == RLIMIT_RTPRIO || limit.resource == RLIMIT_NICE;
    };
    return spec.privileges.ambient != 0 || (spec.scheduling && spec.scheduling->realtime()) ||
           spec.nice.value_or(getpriority(PRIO_PROCESS, 0)) < 0 ||
           (spec.io_priority && spec.io_priority->io_class == IoPriority::Class::Realtime) ||
           spec.oom_score_adjust.value_or(0) < 0 ||
           std::any_of(spec.limits.begin(), spec.limits.end(), is_realtime_limit);
}

struct Wrong {
    const char* name;
    const char* message;
};

/// A NUL would cut off what execve(2) sees of a word.
bool has_nul(const json::Value& parameters, std::string_view key) {
    const auto words = strings_of(parameters, key);
    return std::any_of(words.begin(), words.end(),
                       [](const auto& word) { return word.find('\0') != std::string::npos; });
}

const Wrong* invalid_parameter(const json::Value& parameters) {
    static constexpr Wrong kCommand{"command", "a command has a program, and no NUL in its words"};
    static constexpr Wrong kEnv{"env", "a variable has no NUL in it"};
    static constexpr Wrong kDirectory{"workingDir", "a working directory is an absolute path without a NUL"};
    static constexpr Wrong kLike{"like", "a command is like one job or instance, which a pattern does not name"};
    static constexpr Wrong kName{"name", "a name has 1 to 64 of A-Z a-z 0-9 _ . - and does not begin with . or -"};
    const auto command = strings_of(parameters, "command");
    if (command.empty() || command.front().empty() || has_nul(parameters, "command")) return &kCommand;
    if (has_nul(parameters, "env")) return &kEnv;
    const auto directory = parameters.string_or("workingDir", "");
    const bool absolute = directory.empty() || directory.front() == '/';
    if (!absolute || directory.find('\0') != std::string_view::npos) return &kDirectory;
    const auto like = parameters.string_or("like", "");
    if (like.size() > 200 || like.find_first_of("*?") != std::string_view::npos) return &kLike;
    const auto name = parameters.string_or("name", "");
    return name.empty() || is_job_name(name) ? nullptr : &kName;
}

/// A job can have groups that its user lacks elsewhere.
bool has_rights_of(const Identity& job, const varlink::Peer& peer) {
    const auto has_group = [&](gid_t gid) {
        return gid == peer.gid || std::find(peer.groups.begin(), peer.groups.end(), gid) != peer.groups.end();
    };
    return job.uid == peer.uid && has_group(job.gid) && std::all_of(job.groups.begin(), job.groups.end(), has_group);
}

void write_run(json::Writer& writer, const Instance& instance) {
    writer.begin_object().member("name", instance.name().instance).member("state", to_text(instance.state()));
    if (instance.pid() > 0) writer.member_int("pid", instance.pid());
    write_exit(writer, is_live(instance.state()) ? nullptr : last_run(instance));
    writer.member("cause", instance.cause()).end_object();
}

void fail_start(varlink::PendingCall& call, std::string_view name, std::string_view stage, int os_error,
                std::string_view message) {
    const auto* errno_name = strerrorname_np(os_error);
    json::Writer writer;
    writer.begin_object().member("name", name).member("stage", stage);
    writer.member("errnoName", errno_name != nullptr ? errno_name : "").member("message", message).end_object();
    call.fail_with(error_name(call, "StartFailed"), writer.text());
}

}  // namespace

/// Once, and with its caller's rights.
JobSpec Runs::spec_for(varlink::PendingCall& call, const JobSpec* like) {
    JobSpec spec = like != nullptr ? *like : JobSpec{};
    if (like != nullptr && like->instances.empty()) name_instance(spec);
    const auto& parameters = call.parameters();
    const auto& peer = call.peer();
    spec.name = parameters.string_or("name", "");
    if (spec.name.empty()) spec.name = free_name();
    spec.description.clear();
    spec.origin = "run";
    spec.key_places = {};
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
    spec.run_timeout = spec.watchdog = kForever;
    // They are for the job that this one is like.
    spec.stop_command = {};
    spec.reload_command = {};
    spec.hooks.clear();
    spec.sockets.clear();
    spec.max_lifetime = kForever;
    spec.dependencies = {};
    spec.readiness = {};
    spec.stdin_stream = {Stream::Kind::Null, {}};
    spec.stdout_stream = spec.stderr_stream = {Stream::Kind::Inherit, {}};
    spec.owner = peer.uid;
    // Only a daemon of root can be another user; what any other is asked for as root, it does as itself.
    const bool can_be_caller = context_.access.daemon_uid() == 0 || context_.access.tier_of(peer) != Tier::Admin;
    if (like == nullptr && peer.uid != context_.access.daemon_uid() && can_be_caller) {
        spec.identity = Identity{peer.uid, peer.gid, peer.groups};
    }
    return spec;
}

std::string Runs::free_name() {
    std::string name;
    do {
        name = "run-" + std::to_string(next_name_++);
    } while (context_.supervisor.jobs().contains(name));
    return name;
}

/// Detached commands are bound to no connection, so nothing else limits how many there are.
bool Runs::is_full() const {
    const auto& jobs = context_.supervisor.jobs();
    return std::count_if(jobs.begin(), jobs.end(), [](const auto& entry) { return entry.second.transient; }) >=
           kMostRuns;
}

/// A command in a job's name has the rights of the job's user: operating a job, or owning it, is not enough for that.
bool Runs::may_run(const varlink::Peer& peer, const JobSpec* like) const {
    if (like == nullptr) return context_.access.allows(peer, Tier::Operate);
    if (context_.access.tier_of(peer) == Tier::Admin) return true;
    // What is given to the job's program is not for any program of its user.
    if (has_more_than_its_user(*like)) return false;
    return like->identity && has_rights_of(*like->identity, peer) && context_.access.allows(peer, Tier::Operate, like);
}

std::string Runs::refusal_of_descriptors(const varlink::Peer& peer) const {
    if (may_run(peer, nullptr)) return {};
    bool owns = false;
    for (const auto& [name, job] : context_.supervisor.jobs()) {
        if (may_run(peer, job.spec.get())) return {};
        owns = owns || job.spec->owner == peer.uid;
    }
    // What was asked for is in a message that is not read then.
    if (!owns) return refusal(peer, nullptr);
    return "uid " + std::to_string(peer.uid) +
           " may not run commands as the user of any job: that may only that user, with the job's groups, and "
           "administrators";
}

std::string Runs::refusal(const varlink::Peer& peer, const JobSpec* like) const {
    if (like == nullptr || !context_.access.allows(peer, Tier::Read, like)) return Access::refusal(peer, Tier::Operate);
    return "uid " + std::to_string(peer.uid) + " may not run commands as the user of '" + like->name +
           (has_more_than_its_user(*like) ? "' with its ambient_capabilities or priority, which only administrators may"
                                          : "', which only that user, with the job's groups, and administrators may");
}

/// Nothing when the call was answered with an error.
std::optional<Runs::Bond> Runs::bond_for(varlink::PendingCall& call) const {
    const auto& parameters = call.parameters();
    Bond bond;
    bond.pid = static_cast<pid_t>(parameters.int_or("bindPid", 0));
    if (bond.pid == 0) {
        const auto owner = context_.host.who_is(call.peer().pid);
        if (const auto* parent = owner ? context_.supervisor.find(owner->id) : nullptr) {
            if (parent->state() != State::Running && parent->state() != State::Reloading) {
                const auto message = "cannot run a daemon of '" + parent->name().instance + "', which is " +
                                     std::string(to_text(parent->state()));
                fail_start(call, parent->name().instance, "bind a daemon", ESRCH, message);
                return std::nullopt;
            }
            return Bond{owner->id, 0, parent->name().instance};
        }
        bond.pid = static_cast<pid_t>(parameters.int_or("parentPid", 0));
    }
    if (bond.pid <= 0) {
        fail_invalid(call, "bindPid", "a daemon is bound to a process, or to the job that asks for it");
        return std::nullopt;
    }
    bond.text = "pid " + std::to_string(bond.pid);
    return bond;
}

void Runs::begin(varlink::PendingCall call) {
    if (!open_for_work(context_, call)) return;
    const auto& parameters = call.parameters();
    if (const auto* wrong = invalid_parameter(parameters)) return fail_invalid(call, wrong->name, wrong->message);
    const JobSpec* like = nullptr;
    if (const auto name = parameters.string_or("like", ""); !name.empty()) {
        const auto ids = context_.supervisor.select(name);
        if (ids.empty()) return fail_no_such_job(context_, call, name);
        like = &context_.supervisor.find(ids.front())->spec();
    }
    if (!may_run(call.peer(), like)) return call.fail(error_name(call, "PermissionDenied"), refusal(call.peer(), like));
    auto spec = spec_for(call, like);
    const bool daemon = parameters.bool_or("daemon", false);
    Bond bond;
    if (daemon) {
        auto found = bond_for(call);
        if (!found) return;
        bond = std::move(*found);
        spec.daemon_of = bond.text;
        spec.type = JobType::Service;
        spec.on_parent_restart = OnParentRestart::Stop;
    }
    const auto job_name = spec.name;
    auto fds = call.take_fds();
    if (!fds.empty() && fds.size() != 3) {
        return fail_invalid(call, "fds", "a command gets descriptors 0, 1 and 2, or none");
    }
    if (!context_.supervisor.select(job_name).empty()) {
        call.fail(error_name(call, "NameTaken"), "a job is called '" + job_name + "' already");
        return;
    }
    if (is_full()) {
        const auto message = "cannot run '" + job_name + "': " + std::to_string(kMostRuns) + " commands run already";
        return fail_start(call, job_name, "take another command", EAGAIN, message);
    }
    std::unique_ptr<Watch> bound_to;
    const auto new_id = std::make_shared<InstanceId>(0);
    if (bond.pid != 0) {
        const auto ended = [this, new_id, pid = bond.pid] {
            const auto cause = "process " + std::to_string(pid) + ", whose daemon it is, has ended";
            context_.supervisor.stop(*new_id, cause, context_.loop.now());
        };
        const bool any = context_.access.tier_of(call.peer()) == Tier::Admin;
        auto watch = context_.host.watch_process(bond.pid, any ? std::nullopt : std::optional(call.peer().uid), ended);
        if (!watch) return fail_start(call, job_name, "bind a daemon", watch.error().os_error, watch.error().message);
        bound_to = std::move(*watch);
    }
    if (!fds.empty()) {
        context_.host.attach_streams(job_name, {std::move(fds[0]), std::move(fds[1]), std::move(fds[2])});
    }
    const auto id = context_.supervisor.run_transient(std::move(spec), asked_by("run", call.peer()),
                                                      context_.loop.now(), bond.parent);
    if (!id) {
        context_.host.discard_streams(job_name);
        call.fail(error_name(call, "NameTaken"), id.error().message);
        return;
    }
    *new_id = *id;
    if (bound_to) bonds_[*id] = std::move(bound_to);
    Run& run =
        runs_.emplace(*id, Run{call, *id, daemon || parameters.bool_or("detach", false), false, false}).first->second;
    call.when_gone([this, &run] {
        run.done = true;
        changed_.push_back(run.id);
        if (!run.detached) context_.supervisor.stop(run.id, "its caller went away", context_.loop.now());
    });
}

void Runs::changed(InstanceId id) {
    if (runs_.contains(id) || bonds_.contains(id)) changed_.push_back(id);
}

void Runs::settle() {
    for (const auto id : std::exchange(changed_, {})) {
        const auto* instance = context_.supervisor.find(id);
        if (instance == nullptr || is_settled(instance->state())) bonds_.erase(id);
        const auto run = runs_.find(id);
        if (run == runs_.end()) continue;
        look_at(run->second);
        if (run->second.done) runs_.erase(run);
    }
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
    fail_start(run.call, instance.name().instance, describe(failure.stage, instance.spec()), failure.os_error,
               instance.cause());
}

}  // namespace procsup
