#include "daemon/host/tree_lister.h"

#include <unistd.h>

#include <cerrno>

#include "common/json.h"
#include "conf/job_text.h"

namespace procsup {
namespace {

constexpr std::size_t kMostOutput = 32u << 20;
/// Each question is a pass over all processes: who asks more at a time waits for nobody's good.
constexpr std::size_t kMostWaiting = 64;

}  // namespace

void TreeLister::list(std::vector<const Instance*> instances, bool all, Listed listed) {
    if (waiting_.size() >= kMostWaiting) return listed(Error{"too many ask for processes at the same time", EAGAIN});
    const auto& containment = *processes_.containment();
    json::Writer writer;
    writer.begin_object().member_int("daemon", getpid()).key("known").begin_array();
    for (const pid_t pid : processes_.own_children()) writer.number(pid);
    writer.end_array().member_bool("all", all).key("trees").begin_array();
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
