#include "daemon/control/manager_methods.h"

#include <utility>

#include "daemon/control/graph.h"
#include "daemon/control/groups.h"
#include "daemon/control/instance_json.h"
#include "daemon/control/interface_texts.h"
#include "daemon/control/metrics.h"

namespace procsup {
namespace {

using Clients = std::function<std::pair<std::size_t, std::size_t>()>;

void write_strings(json::Writer& writer, std::string_view key, const std::vector<std::string>& list) {
    writer.key(key).begin_array();
    for (const auto& text : list) writer.string(text);
    writer.end_array();
}

/// Problems quote what stands in the configuration: who only reads is told how many there are.
std::vector<std::string> problems_for(const varlink::Peer& peer, const ControlContext& context,
                                      const std::vector<std::string>& problems) {
    if (problems.empty() || context.access.allows(peer, Tier::Operate)) return problems;
    return {std::to_string(problems.size()) + " in the newest configuration, shown to who may operate"};
}

void write_daemon(json::Writer& writer, const varlink::Peer& peer, const ControlContext& context,
                  const Clients& clients) {
    const auto facts = context.host.facts();
    const auto& supervisor = context.supervisor;
    const auto in_state = [&](State state) {
        return static_cast<std::int64_t>(supervisor.count_by_state()[static_cast<std::size_t>(state)]);
    };
    const auto [connected, refused] = clients();
    writer.begin_object().member("version", facts.version).member_int("pid", facts.pid);
    writer.member("runtimeDir", facts.runtime_dir).member("config", facts.config);
    if (!facts.lower_configs.empty()) write_strings(writer, "lowerConfigs", facts.lower_configs);
    writer.member("state", supervisor.shutting_down() ? "stopping" : "running");
    writer.member_int("sinceUSec", wall_usec(context.host, facts.started));
    writer.member_int("uptimeUSec", (context.loop.now() - facts.started).count());
    writer.member_bool("realtime", facts.realtime);
    writer.member("containment", facts.containment).member("containmentReason", facts.containment_reason);
    writer.member_int("jobs", static_cast<std::int64_t>(supervisor.jobs().size()));
    writer.member_int("instances", static_cast<std::int64_t>(supervisor.instance_count()));
    writer.member_int("running", in_state(State::Running) + in_state(State::Reloading))
        .member_int("failed", in_state(State::Failed));
    write_strings(writer, "configProblems", problems_for(peer, context, facts.config_problems));
    writer.member_int("configSinceUSec", wall_usec(context.host, facts.config_since));
    if (facts.rolled_back) writer.member_bool("rolledBack", true);
    writer.member_int("olderConfigs", static_cast<std::int64_t>(facts.older_configs));
    writer.member_int("clients", static_cast<std::int64_t>(connected));
    writer.member_int("clientsRefused", static_cast<std::int64_t>(refused));
    writer.member_int("logLinesDropped", static_cast<std::int64_t>(facts.log_lines_dropped));
    writer.member_int("orphansReaped", static_cast<std::int64_t>(facts.orphans.count));
    writer.member_int("orphansUnattributed", static_cast<std::int64_t>(facts.orphans_unattributed));
    writer.member_int("orphansCpuUSec", facts.orphans.cpu.count());
    writer.member_int("loopLagMaxUSec", facts.longest_callback.count()).end_object();
}

void status(const ControlContext& context, const Clients& clients, varlink::PendingCall call) {
    // A job's owner may ask for that job.
    const auto chosen = selected_or_all(context, call);
    if (!chosen) return;
    std::vector<InstanceId> ids;
    for (const auto* instance : *chosen) ids.push_back(instance->id());
    const std::function<void(const Usages&)> answer = [&context, &clients, ids, call](const Usages& usages) mutable {
        json::Writer writer;
        writer.begin_object().key("daemon");
        write_daemon(writer, call.peer(), context, clients);
        writer.key("instances").begin_array();
        for (const auto id : ids) {
            const auto* instance = context.supervisor.find(id);
            if (instance == nullptr) continue;
            const bool operates = context.access.allows(call.peer(), Tier::Operate, &instance->spec());
            write_instance(writer, context, *instance, usages,
                           {operates ? Sees::Output : Sees::States, has_names(call)});
        }
        writer.end_array();
        if (has_names(call)) write_dependencies(writer, context, call.peer(), ids);
        call.reply(writer.end_object().text());
    };
    if (!call.parameters().bool_or("usage", false)) return answer({});
    with_usages(context, call, ids, answer);
}

void abilities(const ControlContext& context, varlink::PendingCall call) {
    if (!admitted(context, call)) return;
    json::Writer writer;
    writer.begin_object().key("abilities");
    write_json(writer, context.host.abilities());
    call.reply(writer.end_object().text());
}

void write_changes(json::Writer& writer, const ConfigurationChange& change) {
    writer.key("changes").begin_array();
    for (const auto& job : change.jobs) {
        writer.begin_object().member("job", job.job).member("action", word_of(job.kind));
        write_strings(writer, "keys", job.keys);
        if (!job.started.empty()) write_strings(writer, "started", job.started);
        if (!job.stopped.empty()) write_strings(writer, "stopped", job.stopped);
        if (!job.with.empty()) write_strings(writer, "with", job.with);
        if (!job.pulled.empty()) write_strings(writer, "pulled", job.pulled);
        if (!job.withdrawn.empty()) write_strings(writer, "withdrawn", job.withdrawn);
        writer.end_object();
    }
    writer.end_array().member_int("unchanged", static_cast<std::int64_t>(change.unchanged));
}

using WriteChange = std::function<void(json::Writer&, const ConfigurationChange&)>;

void change_configuration(const ControlContext& context, varlink::PendingCall call, const ChangeOrder& order,
                          const WriteChange& write) {
    if (!admitted(context, call) || !open_for_work(context, call)) return;
    context.host.change_configuration(order, [call, write](const ChangeOutcome& outcome) mutable {
        json::Writer writer;
        writer.begin_object();
        if (const auto* change = std::get_if<ConfigurationChange>(&outcome)) {
            write(writer, *change);
            call.reply(writer.end_object().text());
        } else if (const auto* problems = std::get_if<std::vector<std::string>>(&outcome)) {
            write_strings(writer, "problems", *problems);
            writer.member("message", "the new configuration has problems; nothing was changed").end_object();
            call.fail_with(error_name(call, "BadConfiguration"), writer.text());
        } else {
            call.fail(error_name(call, "NothingToGoBackTo"),
                      "there is no configuration before the one in force: nothing was applied since procsupd started, "
                      "or all of that was rolled back");
        }
    });
}

Restarts restarts_of(const varlink::PendingCall& call) {
    return call.parameters().bool_or("restart", true) ? Restarts::Now : Restarts::Later;
}

void plan(const ControlContext& context, const varlink::PendingCall& call) {
    const auto to = call.parameters().bool_or("rollback", false) ? ChangeOrder::To::Before : ChangeOrder::To::Files;
    change_configuration(context, call, {to, restarts_of(call), true}, write_changes);
}

void apply(const ControlContext& context, const varlink::PendingCall& call) {
    change_configuration(context, call, {ChangeOrder::To::Files, restarts_of(call)}, write_changes);
}

void rollback(const ControlContext& context, const varlink::PendingCall& call) {
    change_configuration(context, call, {ChangeOrder::To::Before, restarts_of(call)},
                         [&context](json::Writer& writer, const ConfigurationChange& change) {
                             write_changes(writer, change);
                             const auto facts = context.host.facts();
                             writer.member_int("configSinceUSec", wall_usec(context.host, facts.config_since));
                         });
}

void reload(const ControlContext& context, const varlink::PendingCall& call) {
    change_configuration(context, call, {}, [](json::Writer& writer, const ConfigurationChange& change) {
        write_strings(writer, "added", change.added());
        write_strings(writer, "changed", change.changed());
        write_strings(writer, "removed", change.removed());
    });
}

void who_is(const ControlContext& context, varlink::PendingCall call) {
    if (!admitted(context, call)) return;
    const auto pid = call.parameters().int_or("pid", 0);
    if (pid <= 0 || pid > INT32_MAX) return call.fail_invalid_parameter("pid");
    const auto owner = context.host.who_is(static_cast<pid_t>(pid));
    const auto* instance = owner ? context.supervisor.find(owner->id) : nullptr;
    json::Writer writer;
    writer.begin_object();
    if (instance != nullptr) {
        writer.member("instance", instance->name().instance).member("job", instance->name().job);
    } else {
        writer.member_null("instance").member_null("job");
    }
    call.reply(writer.member_bool("main", owner && owner->main).end_object().text());
}

}  // namespace

varlink::Interface manager_interface(ControlContext& context, const Clients& clients) {
    varlink::Interface interface {
        "io.procsupd.Manager", std::string(kManagerText), {}
    };
    interface.methods["Ping"] = [&context](varlink::PendingCall call) {
        if (admitted(context, call)) call.reply();
    };
    interface.methods["GetAbilities"] = [&context](varlink::PendingCall call) { abilities(context, call); };
    interface.methods["Status"] = [&context, clients](varlink::PendingCall call) { status(context, clients, call); };
    interface.methods["Metrics"] = [&context, clients](const varlink::PendingCall& call) {
        metrics(context, clients(), call);
    };
    interface.methods["Groups"] = [&context](const varlink::PendingCall& call) { groups(context, call); };
    interface.methods["Plan"] = [&context](const varlink::PendingCall& call) { plan(context, call); };
    interface.methods["Apply"] = [&context](const varlink::PendingCall& call) { apply(context, call); };
    interface.methods["Rollback"] = [&context](const varlink::PendingCall& call) { rollback(context, call); };
    interface.methods["Reload"] = [&context](const varlink::PendingCall& call) { reload(context, call); };
    interface.methods["Shutdown"] = [&context](varlink::PendingCall call) {
        if (!admitted(context, call)) return;
        context.host.shut_down(asked_by("shutdown", call.peer()));
        call.reply();
    };
    interface.methods["WhoIs"] = [&context](varlink::PendingCall call) { who_is(context, call); };
    return interface;
}

}  // namespace procsup
