#include "daemon/control/job_methods.h"

#include <algorithm>
#include <utility>

#include "common/signal_name.h"
#include "conf/job_text.h"
#include "conf/sandbox_means.h"
#include "daemon/control/graph.h"
#include "daemon/control/health.h"
#include "daemon/control/instance_json.h"
#include "daemon/control/interface_texts.h"
#include "daemon/control/past_runs.h"
#include "daemon/control/reload.h"
#include "daemon/control/schedules.h"
#include "daemon/control/why.h"

namespace procsup {
namespace {

enum class Order { Start, Stop, Restart };

void give(const ControlContext& context, Order order, const std::vector<InstanceId>& ids, const varlink::Peer& peer) {
    const auto now = context.loop.now();
    const auto whom = context.access.behalf_of(peer);
    switch (order) {
        case Order::Start: context.supervisor.start(ids, asked_by("start", peer), now, whom); return;
        case Order::Stop: context.supervisor.stop(ids, asked_by("stop", peer), now); return;
        case Order::Restart: context.supervisor.restart(ids, asked_by("restart", peer), now, whom); return;
    }
}

/// What ends with a stop of `ids`, if that was asked for. Nothing: the call was refused for that.
std::optional<std::vector<InstanceId>> taken_along(const ControlContext& context, varlink::PendingCall& call,
                                                   const std::vector<InstanceId>& ids) {
    auto others = context.supervisor.would_end(ids);
    if (others.empty()) return others;
    json::Writer writer;
    writer.begin_object().key("jobs").begin_array();
    std::string names;
    for (const auto id : others) {
        const auto& instance = *context.supervisor.find(id);
        writer.string(instance.name().instance);
        names += (names.empty() ? "" : ", ") + instance.name().instance;
        if (!context.access.allows(call.peer(), Tier::Operate, &instance.spec())) {
            call.fail(error_name(call, "PermissionDenied"),
                      "this would also stop " + instance.name().instance + ", which requires it and is not yours");
            return std::nullopt;
        }
    }
    if (call.parameters().bool_or("cascade", false)) return others;
    writer.end_array().member("message", "this would also stop what requires it: " + names);
    writer.member("hint", "stop them too with --cascade").end_object();
    call.fail_with(error_name(call, "WouldStopOthers"), writer.text());
    return std::nullopt;
}

/// Of an order for several the first, and how many more.
std::string with_text(const ControlContext& context, const std::vector<InstanceId>& ids) {
    auto text = ", with " + context.supervisor.find(ids.front())->name().instance;
    return ids.size() == 1 ? text : text + " and " + std::to_string(ids.size() - 1) + " more";
}

using Refusal = std::function<std::string_view(const Instance&)>;

/// `act` does what was asked for; where it cannot, `refusal` says why.
std::string outcomes(const ControlContext& context, const std::vector<InstanceId>& ids,
                     const std::function<bool(InstanceId)>& act, const Refusal& refusal) {
    json::Writer writer;
    writer.begin_object().key("outcomes").begin_array();
    for (const auto id : ids) {
        const bool done = act(id);
        if (const auto* instance = context.supervisor.find(id))
            write_outcome(writer, *instance, done, done ? std::string_view(instance->cause()) : refusal(*instance),
                          {.refused = !done});
    }
    return writer.end_array().end_object().take();
}

void order(const ControlContext& context, Waiters& waiters, Order what, varlink::PendingCall call) {
    if (what != Order::Stop && !open_for_work(context, call)) return;
    if (!has_valid_timeout(call)) return;
    auto ids = selected(context, call);
    if (!ids) return;
    std::vector<InstanceId> others;
    if (what == Order::Stop) {
        auto along = taken_along(context, call, *ids);
        if (!along) return;
        others = std::move(*along);
    }
    std::vector<Waiters::Target> targets;
    for (const auto id : *ids) targets.push_back(waiters.target(id, what == Order::Restart));
    for (const auto id : others) targets.push_back(waiters.target(id, false));
    // Before what they require, which waits for that anyway.
    if (!others.empty())
        context.supervisor.stop(others, asked_by("stop", call.peer()) + with_text(context, *ids), context.loop.now());
    const auto refusal = [&](const Instance& instance) {
        if (what == Order::Stop) return std::string_view();
        return instance.left() ? kLeft : instance.spec().serves_connection() ? kServes : std::string_view();
    };
    const auto done = [&](InstanceId id) { return refusal(*context.supervisor.find(id)).empty(); };
    auto meant = *ids;
    std::erase_if(meant, [&](InstanceId id) { return !done(id); });
    if (!meant.empty()) give(context, what, meant, call.peer());
    ids->insert(ids->end(), others.begin(), others.end());
    if (!call.parameters().bool_or("wait", true)) {
        call.reply(outcomes(context, *ids, done, refusal));
        return;
    }
    waiters.add(call, what == Order::Stop ? Goal::Down : Goal::Up, std::move(targets));
}

void scale(const ControlContext& context, Waiters& waiters, varlink::PendingCall call) {
    if (!open_for_work(context, call) || !has_valid_timeout(call)) return;
    const auto job = selected_job(context, call);
    if (!job) return;
    const auto asked = call.parameters().int_or("instances", 0);
    const auto count = static_cast<std::uint32_t>(std::clamp<std::int64_t>(asked, 0, UINT32_MAX));
    const auto cause = asked_by("scale to " + std::to_string(asked), call.peer());
    const auto whom = context.access.behalf_of(call.peer());
    const auto scaled = context.supervisor.scale(*job, count, cause, context.loop.now(), whom);
    if (!scaled) {
        json::Writer writer;
        writer.begin_object().member("name", *job).member("message", scaled.error().message).end_object();
        return call.fail_with(error_name(call, "CannotScale"), writer.text());
    }
    const auto& changed = scaled->added.empty() ? scaled->leaving : scaled->added;
    const bool settled = changed.empty() || (!scaled->added.empty() && !scaled->starts);
    if (settled || !call.parameters().bool_or("wait", true)) {
        call.reply(outcomes(context, changed, [](InstanceId) { return true; }, {}));
        return;
    }
    std::vector<Waiters::Target> targets;
    for (const auto id : changed) targets.push_back(waiters.target(id, false));
    waiters.add(call, scaled->added.empty() ? Goal::Down : Goal::Up, std::move(targets));
}

void wait(const ControlContext& context, Waiters& waiters, varlink::PendingCall call) {
    const auto what = call.parameters().string_or("for", "");
    if (what != "ready" && what != "healthy" && what != "stopped" && what != "exit") {
        return fail_invalid(call, "for", "what to wait for is \"ready\", \"healthy\", \"stopped\" or \"exit\"");
    }
    if (!has_valid_timeout(call)) return;
    const auto ids = selected(context, call);
    if (!ids) return;
    std::vector<Waiters::Target> targets;
    for (const auto id : *ids) {
        targets.push_back(
            {id, context.supervisor.find(id)->runs_ended(), context.supervisor.find(id)->name().instance});
    }
    const auto goal = what == "ready"     ? Goal::Ready
                      : what == "healthy" ? Goal::Healthy
                      : what == "stopped" ? Goal::Stopped
                                          : Goal::Exit;
    waiters.add(call, goal, std::move(targets));
}

void signal(const ControlContext& context, varlink::PendingCall call) {
    const auto number = parse_signal(call.parameters().string_or("signal", ""));
    if (!number) return fail_invalid(call, "signal", "a signal is a name such as HUP or SIGHUP, or its number");
    const auto ids = selected(context, call);
    if (!ids) return;
    json::Writer writer;
    writer.begin_object().key("outcomes").begin_array();
    for (const auto id : *ids) {
        OutcomeDetails details;
        const bool sent = context.supervisor.signal(id, *number);
        if (!sent) details.command = context.supervisor.signal_command(id, *number);
        const bool ok = sent || details.command != nullptr;
        details.refused = !ok;
        const auto& instance = *context.supervisor.find(id);
        const std::string_view cause = ok ? std::string_view(instance.cause()) : "it has no main process";
        write_outcome(writer, instance, ok, cause, details);
    }
    call.reply(writer.end_array().end_object().text());
}

void pause(const ControlContext& context, bool pause, varlink::PendingCall call) {
    const auto ids = selected(context, call);
    if (!ids) return;
    const auto act = [&](InstanceId id) {
        const auto now = context.loop.now();
        return pause ? context.supervisor.pause(id, asked_by("pause", call.peer()), now)
                     : context.supervisor.resume(id, asked_by("resume", call.peer()), now);
    };
    const auto refusal = [&](const auto&) { return pause ? "only what is running can be paused" : "it is not paused"; };
    call.reply(outcomes(context, *ids, act, refusal));
}

void reset(const ControlContext& context, varlink::PendingCall call) {
    const auto ids = selected(context, call);
    if (!ids) return;
    const auto act = [&](InstanceId id) {
        context.supervisor.reset(id, asked_by("reset", call.peer()), context.loop.now());
        return true;
    };
    call.reply(outcomes(context, *ids, act, {}));
}

/// As selected(), for what is said of one job only.
std::optional<std::vector<InstanceId>> selected_of_one_job(const ControlContext& context, varlink::PendingCall& call) {
    auto ids = selected(context, call);
    if (!ids) return ids;
    const auto& job = context.supervisor.find(ids->front())->name().job;
    const auto is_other = [&](InstanceId id) { return context.supervisor.find(id)->name().job != job; };
    if (std::none_of(ids->begin(), ids->end(), is_other)) return ids;
    fail_invalid(call, "name", "the pattern means more than one job");
    return std::nullopt;
}

void show(const ControlContext& context, varlink::PendingCall call) {
    const auto ids = selected_of_one_job(context, call);
    if (!ids) return;
    with_usages(context, call, *ids, [&context, ids = *ids, call](const Usages& usages) mutable {
        std::vector<const Instance*> instances;
        for (const auto id : ids) {
            if (const auto* instance = context.supervisor.find(id)) instances.push_back(instance);
        }
        if (instances.empty()) return fail_no_such_job(context, call, call.parameters().string_or("name", ""));
        const auto& spec = instances.front()->spec();
        const bool landlock = sandbox_means(spec, context.host.abilities()) == SandboxMeans::Landlock;
        json::Writer writer;
        writer.begin_object().key("settings");
        write_json(writer, spec, landlock || context.host.facts().no_new_privileges);
        writer.key("instances").begin_array();
        for (const auto* instance : instances) write_instance(writer, context, *instance, usages, {Sees::Output, true});
        call.reply(writer.end_array().end_object().text());
    });
}

/// The settings of a run, from where the newest configuration has them, if it has the same.
const JobSpec& as_written_now(const Supervisor& supervisor, const JobSpec& spec) {
    const auto job = supervisor.jobs().find(spec.name);
    if (job == supervisor.jobs().end()) return spec;
    JobSpec same = spec;
    same.origin = job->second.spec->origin;
    return same == *job->second.spec ? *job->second.spec : spec;
}

void cat(const ControlContext& context, varlink::PendingCall call) {
    const auto ids = selected_of_one_job(context, call);
    if (!ids) return;
    const auto& spec = as_written_now(context.supervisor, context.supervisor.find(ids->front())->spec());
    json::Writer writer;
    writer.begin_object().member("text", to_toml_with_places(spec));
    call.reply(writer.member("origin", spec.origin).end_object().text());
}

void tree(const ControlContext& context, varlink::PendingCall call) {
    auto instances = selected_or_all(context, call);
    if (!instances) return;
    context.host.list_processes(
        std::move(*instances), !has_names(call), [call](const Result<std::string>& listed) mutable {
            if (listed) {
                call.reply(*listed);
            } else {
                call.fail("io.systemd.System", "cannot list processes: " + listed.error().message);
            }
        });
}

void usage(const ControlContext& context, varlink::PendingCall call) {
    const auto instances = selected_or_all(context, call);
    if (!instances) return;
    constexpr Duration kPatience = std::chrono::seconds(10);
    context.host.measure(
        *instances, kPatience, [&context, call](const auto& measured, const Result<void>& all) mutable {
            json::Writer writer;
            writer.begin_object().member_int("timeUSec", context.loop.now().time_since_epoch().count());
            writer.key("usages").begin_array();
            for (const auto& one : measured) {
                writer.begin_object().member("name", one.name).member("job", one.job);
                write_usage(writer, one.usage);
                writer.end_object();
            }
            writer.end_array();
            if (!all) writer.member("problem", "cannot sum up what processes use: " + all.error().message);
            call.reply(writer.end_object().text());
        });
}

void subscribe(const ControlContext& context, Subscriptions& subscriptions, varlink::PendingCall call) {
    if (!call.call().more) return call.fail_with("org.varlink.service.ExpectedMore", {});
    std::vector<InstanceId> only;
    if (has_names(call)) {
        auto ids = selected(context, call);
        if (!ids) return;
        only = std::move(*ids);
    } else if (!admitted(context, call)) {
        return;
    }
    subscriptions.add(call, std::move(only));
}

}  // namespace

varlink::Interface job_interface(ControlContext& context, Waiters& waiters, Subscriptions& subscriptions, Runs& runs,
                                 Rolls& rolls) {
    using varlink::PendingCall;
    varlink::Interface interface {
        "io.procsupd.Job", std::string(kJobText), {}
    };
    auto& methods = interface.methods;
    methods["Start"] = [&](PendingCall call) { order(context, waiters, Order::Start, call); };
    methods["Stop"] = [&](PendingCall call) { order(context, waiters, Order::Stop, call); };
    methods["Restart"] = [&](PendingCall call) { order(context, waiters, Order::Restart, call); };
    methods["RestartRolling"] = [&](PendingCall call) { rolls.begin(call); };
    methods["Scale"] = [&](PendingCall call) { scale(context, waiters, call); };
    methods["Reload"] = [&](PendingCall call) { reload(context, waiters, call); };
    methods["CheckHealth"] = [&](PendingCall call) { check_health(context, waiters, call); };
    methods["Signal"] = [&](PendingCall call) { signal(context, call); };
    methods["Pause"] = [&](PendingCall call) { pause(context, true, call); };
    methods["Resume"] = [&](PendingCall call) { pause(context, false, call); };
    methods["Reset"] = [&](PendingCall call) { reset(context, call); };
    methods["Wait"] = [&](PendingCall call) { wait(context, waiters, call); };
    methods["Show"] = [&](PendingCall call) { show(context, call); };
    methods["Cat"] = [&](PendingCall call) { cat(context, call); };
    methods["Why"] = [&](PendingCall call) { why(context, call); };
    methods["Schedules"] = [&](PendingCall call) { schedules(context, call); };
    methods["History"] = [&](PendingCall call) { history(context, call); };
    methods["Graph"] = [&](PendingCall call) { graph(context, call); };
    methods["Tree"] = [&](PendingCall call) { tree(context, call); };
    methods["Usage"] = [&](PendingCall call) { usage(context, call); };
    methods["Subscribe"] = [&](PendingCall call) { subscribe(context, subscriptions, call); };
    methods["Run"] = [&](PendingCall call) { runs.begin(call); };
    return interface;
}

}  // namespace procsup
