#include "daemon/host/tree_lister.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/json.h"
#include "conf/job_text.h"

namespace procsup {
namespace {

constexpr std::size_t kMostOutput = 32u << 20;
/// Each question is a pass over all processes: who asks more at a time waits for nobody's good.
constexpr std::size_t kMostWaiting = 64;

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

void TreeLister::list(std::vector<const Instance*> instances, bool all, Listed listed) {
    ask(instances, all, false, std::move(listed));
}

void TreeLister::measure(const std::vector<const Instance*>& instances, Measured measured) {
    std::vector<InstanceUsage> uses;
    std::vector<const Instance*> unknown;
    for (const auto* instance : instances) {
        if (!is_live(instance->state())) continue;
        uses.push_back({instance->name().instance, instance->name().job, processes_.usage_of(instance->incarnation())});
        if (!uses.back().usage.complete()) unknown.push_back(instance);
    }
    if (unknown.empty()) return measured(std::move(uses));
    ask(unknown, false, true, [uses = std::move(uses), measured = std::move(measured)](const auto& listed) mutable {
        const auto sums = listed ? json::parse(*listed) : listed.error();
        if (!sums) return measured(sums.error());
        add_sums(*sums, uses);
        measured(std::move(uses));
    });
}

void TreeLister::ask(const std::vector<const Instance*>& instances, bool all, bool sums, Listed listed) {
    if (waiting_.size() >= kMostWaiting) return listed(Error{"too many ask for processes at the same time", EAGAIN});
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
        writer.end_array().end_object();
    }
    waiting_.emplace_back(writer.end_array().end_object().take(), std::move(listed));
    if (!helper_.running()) begin();
}

void TreeLister::begin() {
    auto input = as_file(waiting_.front().first);
    const auto answer = [this](Result<std::string> output) {
        const auto listed = std::move(waiting_.front().second);
        waiting_.erase(waiting_.begin());
        if (!waiting_.empty()) begin();
        listed(std::move(output));
    };
    if (!input) return answer(input.error());
    helper_.run(helper_spec("procsupd --list-processes", {"--list-processes"}), std::move(*input), kMostOutput, answer);
}

}  // namespace procsup
