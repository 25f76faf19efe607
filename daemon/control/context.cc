#include "daemon/control/context.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "common/did_you_mean.h"
#include "daemon/control/missing.h"

namespace procsup {
namespace {

constexpr std::size_t kMostNames = 1000;
/// A pattern is compared with every instance there is, so these are fewer, and none is long.
constexpr std::size_t kMostPatterns = 64;
constexpr std::size_t kLongestName = 200;
constexpr auto kBounds =
    "at least one name is needed, at most 1000, of them at most 64 patterns; each of at most 200 bytes";

bool within_bounds(const std::vector<std::string>& names) {
    const auto is_pattern = [](const std::string& name) { return name.find_first_of("*?") != std::string::npos; };
    const auto is_long = [](const std::string& name) { return name.size() > kLongestName; };
    return !names.empty() && names.size() <= kMostNames && std::none_of(names.begin(), names.end(), is_long) &&
           std::count_if(names.begin(), names.end(), is_pattern) <= static_cast<std::ptrdiff_t>(kMostPatterns);
}

/// Whether the name of a job means what is left of instances too that it has no more: to who looks, and who ends it.
Surplus surplus_of(const varlink::PendingCall& call) {
    static constexpr std::array<std::string_view, 9> kWith{
        "io.procsupd.Manager.Metrics", "io.procsupd.Manager.Status", "io.procsupd.Job.Show",
        "io.procsupd.Job.History",     "io.procsupd.Job.Tree",       "io.procsupd.Job.Usage",
        "io.procsupd.Job.Subscribe",   "io.procsupd.Job.Stop",       "io.procsupd.Job.Signal"};
    const bool with = std::find(kWith.begin(), kWith.end(), call.call().method) != kWith.end();
    return with ? Surplus::With : Surplus::Without;
}

void refuse(varlink::PendingCall& call) {
    call.fail(error_name(call, "PermissionDenied"), Access::refusal(call.peer(), needed_for(call.call().method)));
}

}  // namespace

std::string no_such_job_text(const ControlContext& context, std::string_view name) {
    std::vector<std::string_view> known;
    for (const auto& [group_name, group] : context.supervisor.groups()) known.push_back(group_name);
    for (const auto& [job_name, job] : context.supervisor.jobs()) {
        known.push_back(job_name);
        for (const auto& instance : job.instances) known.push_back(instance->name().instance);
    }
    return "no job or instance is called '" + std::string(name) + "'" + did_you_mean(name, known);
}

void fail_no_such_job(const ControlContext& context, varlink::PendingCall& call, std::string_view name) {
    // A hint names jobs.
    if (!context.access.allows(call.peer(), Tier::Read)) return refuse(call);
    json::Writer writer;
    writer.begin_object().member("name", name);
    if (const auto mask = context.host.masked_by(name.substr(0, name.find('@'))); !mask.empty()) {
        // Whether the file is still there is not looked up: the disk may hang.
        const auto since = rest_text(context.loop.now(), context.host.facts().config_since);
        writer.member("message", "there is no job '" + std::string(name) + "': " + mask +
                                     " masked it when the configuration was read, " + since + " ago");
        writer.member("hint",
                      "without that file, a job file of its name in a lower directory counts after: procsupctl apply");
        writer.end_object();
        return call.fail_with(error_name(call, "NoSuchJob"), writer.text());
    }
    writer.member("message", no_such_job_text(context, name));
    writer.member("hint", "procsupctl list").end_object();
    call.fail_with(error_name(call, "NoSuchJob"), writer.text());
}

void fail_invalid(varlink::PendingCall& call, std::string_view parameter, std::string_view message) {
    json::Writer writer;
    writer.begin_object().member("parameter", parameter).member("message", message).end_object();
    call.fail_with("org.varlink.service.InvalidParameter", writer.text());
}

std::string error_name(const varlink::PendingCall& call, std::string_view error) {
    return std::string(call.call().interface_name()) + "." + std::string(error);
}

std::string asked_by(std::string_view what, const varlink::Peer& peer) {
    return std::string(what) + " asked by uid " + std::to_string(peer.uid) + " (pid " + std::to_string(peer.pid) + ")";
}

bool admitted(const ControlContext& context, varlink::PendingCall& call) {
    if (context.access.allows(call.peer(), needed_for(call.call().method))) return true;
    refuse(call);
    return false;
}

bool open_for_work(const ControlContext& context, varlink::PendingCall& call) {
    if (!context.supervisor.shutting_down()) return true;
    call.fail(error_name(call, "ShuttingDown"), "procsupd is ending and takes no new work");
    return false;
}

bool has_names(const varlink::PendingCall& call) {
    const auto* names = call.parameters().find("names");
    return names != nullptr && !names->as_array()->empty();
}

std::vector<std::string> names_of(const varlink::PendingCall& call) {
    std::vector<std::string> names;
    if (const auto* name = call.parameters().find("name")) names.push_back(*name->as_string());
    if (const auto* list = call.parameters().find("names")) {
        for (const auto& name : *list->as_array()) names.push_back(*name.as_string());
    }
    return names;
}

std::optional<std::vector<InstanceId>> selected(const ControlContext& context, varlink::PendingCall& call) {
    return selected(context, call, names_of(call));
}

std::optional<std::vector<InstanceId>> selected(const ControlContext& context, varlink::PendingCall& call,
                                                const std::vector<std::string>& names) {
    if (!within_bounds(names)) {
        fail_invalid(call, call.parameters().find("name") != nullptr ? "name" : "names", kBounds);
        return std::nullopt;
    }
    std::vector<InstanceId> ids;
    std::unordered_set<InstanceId> known;
    for (const auto& name : names) {
        const auto matching = context.supervisor.select(name, surplus_of(call));
        if (matching.empty()) {
            // Of no jobs at all these are all.
            if (name == "*" && has_names(call) && context.supervisor.jobs().empty()) continue;
            fail_no_such_job(context, call, name);
            return std::nullopt;
        }
        for (const auto id : matching) {
            if (known.insert(id).second) ids.push_back(id);
        }
    }
    const auto needed = needed_for(call.call().method);
    for (const auto id : ids) {
        if (context.access.allows(call.peer(), needed, &context.supervisor.find(id)->spec())) continue;
        refuse(call);
        return std::nullopt;
    }
    return ids;
}

std::optional<std::string> selected_job(const ControlContext& context, varlink::PendingCall& call) {
    const auto ids = selected(context, call);
    if (!ids) return std::nullopt;
    const std::string name(call.parameters().string_or("name", ""));
    const auto& job = context.supervisor.find(ids->front())->name().job;
    if (name == job) return name;
    if (context.supervisor.find_group(name) != nullptr) {
        fail_invalid(call, "name",
                     "this is done with a job, not with a group: name one of its members, such as '" + job + "'");
        return std::nullopt;
    }
    fail_invalid(call, "name", "this is done with a job, not with some instances: name '" + job + "'");
    return std::nullopt;
}

bool has_valid_timeout(varlink::PendingCall& call) {
    if (call.parameters().int_or("timeoutUSec", 0) >= 0) return true;
    fail_invalid(call, "timeoutUSec", "a timeout is not negative; leave it out to wait without one");
    return false;
}

std::optional<std::vector<const Instance*>> selected_or_all(const ControlContext& context, varlink::PendingCall& call) {
    std::vector<const Instance*> instances;
    if (has_names(call)) {
        const auto ids = selected(context, call);
        if (!ids) return std::nullopt;
        for (const auto id : *ids) instances.push_back(context.supervisor.find(id));
        return instances;
    }
    if (!admitted(context, call)) return std::nullopt;
    for (const auto& [name, job] : context.supervisor.jobs()) {
        for (const auto* instance : present_of(job)) instances.push_back(instance);
    }
    return instances;
}

}  // namespace procsup
