#include "daemon/control/context.h"

#include <algorithm>

#include "common/did_you_mean.h"

namespace procsup {
namespace {

constexpr std::size_t kMostNames = 1000;

std::vector<std::string> names_of(const varlink::PendingCall& call) {
    std::vector<std::string> names;
    if (const auto* name = call.parameters().find("name")) names.push_back(*name->as_string());
    if (const auto* list = call.parameters().find("names")) {
        for (const auto& name : *list->as_array()) names.push_back(*name.as_string());
    }
    return names;
}

}  // namespace

void fail_no_such_job(const ControlContext& context, varlink::PendingCall& call, std::string_view name) {
    std::vector<std::string_view> known;
    for (const auto& [job_name, job] : context.supervisor.jobs()) {
        known.push_back(job_name);
        for (const auto& instance : job.instances) known.push_back(instance->name().instance);
    }
    json::Writer writer;
    writer.begin_object().member("name", name);
    writer.member("message", "no job or instance is called '" + std::string(name) + "'" + did_you_mean(name, known));
    writer.member("hint", "procsupctl list").end_object();
    call.fail_with(error_name(call, "NoSuchJob"), writer.text());
}

std::string error_name(const varlink::PendingCall& call, std::string_view error) {
    return std::string(call.call().interface_name()) + "." + std::string(error);
}

std::string asked_by(std::string_view what, const varlink::Peer& peer) {
    return std::string(what) + " asked by uid " + std::to_string(peer.uid) + " (pid " + std::to_string(peer.pid) + ")";
}

bool admitted(const ControlContext& context, varlink::PendingCall& call, Tier needed) {
    if (context.access.allows(call.peer(), needed)) return true;
    call.fail(error_name(call, "PermissionDenied"), Access::refusal(call.peer(), needed));
    return false;
}

bool open_for_work(const ControlContext& context, varlink::PendingCall& call) {
    if (!context.supervisor.shutting_down()) return true;
    call.fail(error_name(call, "ShuttingDown"), "procsupd is ending and takes no new work");
    return false;
}

std::optional<std::vector<InstanceId>> selected(const ControlContext& context, varlink::PendingCall& call, Tier needed) {
    const auto names = names_of(call);
    if (names.empty() || names.size() > kMostNames) {
        call.fail_invalid_parameter("names");
        return std::nullopt;
    }
    std::vector<InstanceId> ids;
    for (const auto& name : names) {
        const auto matching = context.supervisor.select(name);
        if (matching.empty()) {
            fail_no_such_job(context, call, name);
            return std::nullopt;
        }
        for (const auto id : matching) {
            if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        }
    }
    for (const auto id : ids) {
        if (context.access.allows(call.peer(), needed, &context.supervisor.find(id)->spec())) continue;
        call.fail(error_name(call, "PermissionDenied"), Access::refusal(call.peer(), needed));
        return std::nullopt;
    }
    return ids;
}

}  // namespace procsup
