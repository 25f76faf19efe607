#include "daemon/host/tree_lister.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/json.h"
#include "conf/job_text.h"

namespace procsup {
namespace {

/// Of so many instances at most the few processes that they may have are looked at without a helper.
constexpr std::size_t kFewInstances = 16;

/// What a helper has summed up is for what is not known better; both lists are in the same order.
void add_sums(const json::Value& sums, std::vector<InstanceUsage>& uses) {
    const auto* trees = sums.find("trees");
    if (trees == nullptr || trees->as_array() == nullptr) return;
    auto next = uses.begin();
    for (const auto& tree : *trees->as_array()) {
        next = std::find_if(next, uses.end(), [&](const auto& use) { return use.name == tree.string_or("name", ""); });
        if (next == uses.end()) return;
        auto& usage = next->usage;
        const auto number = [&](const char* name) { return static_cast<std::uint64_t>(tree.int_or(name, 0)); };
        if (!usage.cpu) usage.cpu = Duration(tree.int_or("cpuUSec", 0));
        if (!usage.memory) usage.memory = number("memory");
        if (!usage.tasks) usage.tasks = number("tasks");
    }
}

}  // namespace

void TreeLister::list(const std::vector<const Instance*>& instances, bool all, Listed listed) {
    constexpr auto kPatience = std::chrono::seconds(10);
    lists_.ask(question(instances, all, false), kPatience, std::move(listed));
}

void TreeLister::measure(const std::vector<const Instance*>& instances, Duration patience, Measured measured) {
    std::vector<InstanceUsage> uses;
    std::vector<const Instance*> unknown;
    const bool few = instances.size() <= kFewInstances;
    for (const auto* instance : instances) {
        if (!is_live(instance->state())) continue;
        const auto& name = instance->name();
        const auto usage = processes_.usage_of(instance->incarnation(), few);
        uses.push_back({instance->id(), name.instance, name.job, usage});
        if (!usage.complete()) unknown.push_back(instance);
    }
    if (unknown.empty() || patience == Duration::zero()) return measured(std::move(uses), {});
    const auto sum_up = [uses = std::move(uses), measured = std::move(measured)](const auto& listed) mutable {
        const auto sums = listed ? json::parse(*listed) : listed.error();
        if (sums) add_sums(*sums, uses);
        measured(std::move(uses), sums ? Result<void>() : sums.error());
    };
    sums_.ask(question(unknown, false, true), patience, sum_up);
}

std::string TreeLister::question(const std::vector<const Instance*>& instances, bool all, bool sums) const {
    const auto& containment = *processes_.containment();
    json::Writer writer;
    writer.begin_object().member_int("daemon", getpid()).key("known").begin_array();
    for (const pid_t pid : processes_.own_children()) writer.number(pid);
    writer.end_array().member_bool("all", all).member_bool("sums", sums).key("trees").begin_array();
    for (const auto* instance : instances) {
        const auto& name = instance->name();
        writer.begin_object().member("name", name.instance).member("job", name.job);
        writer.member("containment", word_of(containment.mode())).member("place", containment.place(name.instance));
        writer.member_int("main", instance->pid()).key("roots").begin_array();
        for (const pid_t pid : processes_.children_for(instance->id())) writer.number(pid);
        writer.end_array().key("first").begin_array();
        for (const pid_t pid : processes_.first_processes_of(instance->id())) writer.number(pid);
        writer.end_array().end_object();
    }
    return writer.end_array().end_object().take();
}

}  // namespace procsup
