#include "ctl/job_graph.h"

#include <map>
#include <set>
#include <utility>

namespace procsup::ctl {
namespace {

const json::Value::Array& array_of(const json::Value& parent, std::string_view name) {
    static const json::Value::Array kNone;
    const auto* list = parent.find(name);
    return list == nullptr || list->as_array() == nullptr ? kNone : *list->as_array();
}

std::optional<std::int64_t> time_of(const json::Value& start, std::string_view name) {
    const auto* time = start.find(name);
    if (time == nullptr || time->as_int() == nullptr) return std::nullopt;
    return *time->as_int();
}

std::optional<FirstStart> first_start_of(const json::Value& instance) {
    const auto* start = instance.find("firstStart");
    if (start == nullptr || start->as_object() == nullptr) return std::nullopt;
    FirstStart first;
    first.wanted = start->int_or("wantedUSec", 0);
    first.started = time_of(*start, "startedUSec");
    first.ready = time_of(*start, "readyUSec");
    first.failed = time_of(*start, "failedUSec");
    first.waited_for = start->string_or("waitedFor", "");
    first.at_boot = start->bool_or("atBoot", false);
    return first;
}

GraphInstance instance_of(const json::Value& value, const std::string& job) {
    GraphInstance instance;
    instance.name = value.string_or("name", "");
    instance.job = job;
    instance.state = value.string_or("state", "");
    instance.awaits = value.string_or("awaits", "");
    instance.ready = value.bool_or("ready", false);
    instance.first_start = first_start_of(value);
    return instance;
}

using ByName = std::map<std::string_view, CriticalStep>;

std::vector<const JobLink*> links_between(const GraphJob& job, const GraphJob& other) {
    std::vector<const JobLink*> links;
    for (const auto& link : job.links) {
        if (link.to == other.name) links.push_back(&link);
    }
    return links;
}

}  // namespace

JobLink JobLink::of(const json::Value& link) {
    const auto text = [&](std::string_view name) { return std::string(link.string_or(name, "")); };
    return {text("to"), text("kind"), text("condition"), text("onRestart"), link.bool_or("met", true)};
}

std::vector<JobLink> links_of(const json::Value& parent) {
    std::vector<JobLink> links;
    for (const auto& link : array_of(parent, "links")) links.push_back(JobLink::of(link));
    return links;
}

InstanceView GraphInstance::view() const {
    InstanceView shown;
    shown.name = name;
    shown.job = job;
    shown.state = state;
    shown.ready = ready;
    shown.awaits = awaits;
    return shown;
}

GraphJob GraphJob::of(const json::Value& value) {
    GraphJob job;
    job.name = value.string_or("name", "");
    job.step = value.int_or("step", 1);
    job.asked = value.bool_or("asked", false);
    job.oneshot = value.bool_or("oneshot", false);
    job.links = links_of(value);
    for (const auto& instance : array_of(value, "instances")) job.instances.push_back(instance_of(instance, job.name));
    return job;
}

void JobGraph::add(const json::Value& answer) {
    boot_usec = answer.int_or("bootUSec", 0);
    for (const auto& job : array_of(answer, "jobs")) jobs.push_back(GraphJob::of(job));
    for (const auto& value : array_of(answer, "former")) {
        GraphJob job;
        job.name = value.string_or("job", "");
        job.oneshot = value.bool_or("oneshot", false);
        job.instances.push_back(instance_of(value, job.name));
        former.push_back(std::move(job));
    }
}

std::vector<CriticalStep> critical_path(const JobGraph& graph, bool of_asked) {
    ByName by_name;
    const CriticalStep* next = nullptr;
    const auto consider = [&](const GraphJob& job, const GraphInstance& instance) {
        const auto* step = &(by_name[instance.name] = CriticalStep{&job, &instance, {}});
        const auto& first = instance.first_start;
        if (!first || !first->ready || !(of_asked ? job.asked : first->at_boot)) return;
        // Of two at the same time the one that is started behind the other.
        if (next == nullptr || *first->ready >= *next->instance->first_start->ready) next = step;
    };
    for (const auto& job : graph.jobs) {
        for (const auto& instance : job.instances) consider(job, instance);
    }
    for (const auto& job : graph.former) {
        const auto& instance = job.instances.front();
        // One of its name may have come since.
        const auto known = by_name.find(instance.name);
        const bool other = known != by_name.end() && known->second.instance->first_start.has_value() &&
                           known->second.instance->first_start->at_boot;
        if (!of_asked && !other) consider(job, instance);
    }
    std::vector<CriticalStep> path;
    std::set<std::string_view> seen;
    while (next != nullptr && seen.insert(next->instance->name).second) {
        path.push_back(*next);
        const auto& first = next->instance->first_start;
        const auto found = first ? by_name.find(first->waited_for) : by_name.end();
        next = found == by_name.end() ? nullptr : &found->second;
        if (next != nullptr) path.back().links = links_between(*path.back().job, *next->job);
    }
    return path;
}

}  // namespace procsup::ctl
