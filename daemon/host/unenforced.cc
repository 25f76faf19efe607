#include "daemon/host/unenforced.h"

#include <algorithm>

#include "conf/sandbox_means.h"
#include "daemon/host/child.h"

namespace procsup {
namespace {

/// So many settings of a job are remembered as told; more come only with changes of its configuration.
constexpr std::size_t kMostTold = 64;

std::vector<Key> keys_of(const JobSpec& spec, std::uint32_t unmet) {
    std::vector<Key> keys;
    const auto has = [&](unsigned bit) { return (unmet >> bit & 1) != 0; };
    for (const auto& row : kResourceLimits) {
        if (has(static_cast<unsigned>(row.resource))) keys.push_back(row.key);
    }
    if (has(kUnmetScheduling)) keys.push_back(Key::Scheduling);
    if (has(kUnmetNice)) keys.push_back(Key::Nice);
    if (has(kUnmetIoPriority)) keys.push_back(Key::IoPriority);
    if (has(kUnmetCpuAffinity)) keys.push_back(Key::CpuAffinity);
    if (has(kUnmetOomScore) && spec.oom_score_adjust) keys.push_back(Key::OomScoreAdjust);
    if (has(kUnmetSandbox) && spec.sandbox.private_tmp) keys.push_back(Key::PrivateTmp);
    if (has(kUnmetSandbox) && spec.sandbox.has_read_only()) keys.push_back(Key::ReadOnlyPaths);
    return keys;
}

bool has_key(const std::vector<Shortfall>& list, Key key) {
    return std::any_of(list.begin(), list.end(), [&](const auto& shortfall) { return shortfall.key == key; });
}

}  // namespace

void Unenforced::tell_once(const JobSpec& spec, Job& job, const Shortfall& shortfall) {
    if (std::find(job.told.begin(), job.told.end(), shortfall) != job.told.end()) return;
    if (job.told.size() == kMostTold) job.told.clear();
    job.told.push_back(shortfall);
    const bool sandbox = sandbox_means(spec, abilities_) == SandboxMeans::None && is_of_sandbox(shortfall.key);
    const bool all_or_nothing =
        find_tree_limit(shortfall.key) != nullptr || shortfall.key == Key::PrivateTmp || sandbox;
    tell_(spec, "cannot enforce " + to_text(shortfall) +
                    (all_or_nothing ? "; it runs without that" : "; it runs with what comes nearest"));
}

void Unenforced::run_began(const JobSpec& spec, std::uint32_t unmet) {
    const auto foreseen = shortfalls(spec, abilities_);
    if (unmet == 0 && foreseen.empty()) return;
    auto& job = jobs_[spec.name];
    for (const auto& shortfall : foreseen) tell_once(spec, job, shortfall);
    for (const auto key : keys_of(spec, unmet)) {
        if (!has_key(foreseen, key)) refused(spec, key, "the kernel refused it");
    }
}

void Unenforced::refused(const JobSpec& spec, Key key, const std::string& why) {
    auto& job = jobs_[spec.name];
    const Shortfall shortfall{key, limit_setting(spec, key), why};
    std::erase_if(job.refused, [&](const auto& known) { return known.key == key; });
    job.refused.push_back(shortfall);
    tell_once(spec, job, shortfall);
}

std::vector<Shortfall> Unenforced::of(const JobSpec& spec) const {
    auto list = shortfalls(spec, abilities_);
    const auto job = jobs_.find(spec.name);
    if (job == jobs_.end()) return list;
    for (const auto& shortfall : job->second.refused) {
        // Of a setting that has changed since, nothing is known.
        const bool current = limit_setting(spec, shortfall.key) == shortfall.value;
        if (current && !has_key(list, shortfall.key)) list.push_back(shortfall);
    }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    return list;
}

}  // namespace procsup
