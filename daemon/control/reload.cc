#include "daemon/control/reload.h"

#include <utility>

#include "common/signal_name.h"

namespace procsup {
namespace {

/// Why it cannot be told to read its configuration again; empty: it can.
std::string refusal(const ControlContext& context, const Instance& instance) {
    const auto& spec = instance.spec();
    if (!is_executing(instance.state())) return "only what is running can be reloaded";
    if (instance.adopted() || instance.pid() == 0) return "it has no main process";
    if (!spec.reload_command.empty()) {
        if (instance.state() == State::Paused) return "it is paused; resume it first";
        return instance.is_up() ? std::string() : "it is not ready yet, and reload_command is for what is";
    }
    const auto name = signal_name(spec.reload_signal);
    switch (context.host.fate_of(instance.pid(), spec.reload_signal)) {
        case SignalFate::Handled: return {};
        case SignalFate::Ignored: return "its main process ignores " + name + ", the reload_signal of the job";
        case SignalFate::Default:
            if (!ends_by_default(spec.reload_signal)) return {};
            return "its main process does not handle " + name + ", which would end it: say reload_signal or " +
                   "reload_command in the job's file, or restart it";
    }
    return {};
}

Waiters::Target reloaded(const ControlContext& context, InstanceId id, const varlink::Peer& peer) {
    const auto& instance = *context.supervisor.find(id);
    Waiters::Target target{id, instance.runs_ended(), instance.name().instance, 0, false, refusal(context, instance)};
    if (!target.cause.empty()) return target;
    target.ok = context.supervisor.reload(id, asked_by("reload", peer), context.loop.now());
    if (!instance.spec().reload_command.empty()) {
        target.number = instance.newest_reload();
    } else {
        target.cause = signal_name(instance.spec().reload_signal) + " sent";
    }
    return target;
}

}  // namespace

void reload(const ControlContext& context, Waiters& waiters, varlink::PendingCall call) {
    if (!has_valid_timeout(call)) return;
    const auto ids = selected(context, call);
    if (!ids) return;
    std::vector<Waiters::Target> targets;
    for (const auto id : *ids) targets.push_back(reloaded(context, id, call.peer()));
    if (!call.parameters().bool_or("wait", true)) {
        for (auto& target : targets) {
            if (std::exchange(target.number, 0) != 0) target.cause = "reload_command is run";
        }
    }
    waiters.add(call, Goal::Reloaded, std::move(targets));
}

}  // namespace procsup
