// What a configuration would change, before anything is.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "daemon/engine/supervisor.h"
#include "daemon/engine/text_change.h"

namespace procsup {
namespace {

using Kind = JobChange::Kind;

bool is_up(const Job& job) {
    return std::any_of(job.instances.begin(), job.instances.end(),
                       [](const auto& instance) { return !is_settled(instance->state()); });
}

void add_new(std::vector<std::string>& list, const std::vector<std::string>& more) {
    for (const auto& one : more) {
        if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
    }
}

std::vector<std::string> jobs_with(const ConfigurationChange& change, std::initializer_list<Kind> kinds) {
    std::vector<std::string> names;
    for (const auto& job : change.jobs) {
        if (std::find(kinds.begin(), kinds.end(), job.kind) != kinds.end()) names.push_back(job.job);
    }
    return names;
}

/// What waited for its next start and does so no longer.
std::vector<std::string> withdrawn_from(const Instance& instance, const JobSpec& now) {
    auto keys = difference(instance.spec(), instance.next_spec()).at_start;
    const auto left = difference(instance.spec(), now).at_start;
    std::erase_if(keys, [&](const auto& key) { return std::find(left.begin(), left.end(), key) != left.end(); });
    return keys;
}

/// Who ends when a job does, by the names of the jobs that they depend on.
using Followers = std::multimap<std::string_view, std::string_view>;

Followers followers_in(const Configured& jobs) {
    Followers followers;
    for (const auto& spec : jobs) {
        for (const auto& one : spec->dependencies.requirements) {
            const bool follows = one.lasts() && one.on_restart == Requirement::OnRestart::Restart;
            if (follows) followers.emplace(one.job, spec->name);
        }
        const bool bound = !spec->daemon_of.empty() && spec->on_parent_restart != OnParentRestart::Keep;
        if (bound) followers.emplace(spec->daemon_of, spec->name);
    }
    return followers;
}

/// What becomes of a job that is configured already; nothing: it is as it was.
std::optional<JobChange> change_of(const Job& job, const std::shared_ptr<const JobSpec>& now, Restarts restarts) {
    const auto has_it = [&](const auto& instance) { return has_text(*instance, *now, restarts); };
    if (!job.leaving && job.spec == now && std::all_of(job.instances.begin(), job.instances.end(), has_it)) return {};
    JobChange change{job.spec->name, Kind::Live};
    std::vector<std::string> live;
    bool later = false;
    auto names = names_with(*now, scaled_with(job, *now));
    for (const auto& instance : job.instances) {
        const auto same = std::find_if(names.begin(), names.end(), [&](const InstanceName& name) {
            return name.instance == instance->name().instance;
        });
        if (same == names.end()) {
            change.stopped.push_back(instance->name().instance);
            continue;
        }
        const auto text = text_change(*instance, *same, *now, restarts);
        names.erase(same);
        if (text.takes == Takes::ByRestart) change.kind = Kind::Restart;
        later = later || (text.keys.needs_restart() && text.takes != Takes::ByRestart);
        add_new(change.keys, text.keys.at_start);
        add_new(live, text.keys.live);
        if (&instance->spec() != &instance->next_spec()) add_new(change.withdrawn, withdrawn_from(*instance, *now));
    }
    if (starts_added(job, *now)) {
        for (const auto& name : names) change.started.push_back(name.instance);
    }
    add_new(change.keys, live);
    if (job.leaving) {
        change.kind = now->enabled ? Kind::Start : Kind::Add;
    } else if (later && change.kind == Kind::Live) {
        change.kind = Kind::Later;
    }
    // Without instances that stay, it is still a text that has changed.
    if (change.keys.empty() && !change.stopped.empty()) add_new(change.keys, {"instances"});
    const bool nothing = change.keys.empty() && change.started.empty() && change.stopped.empty() &&
                         change.withdrawn.empty() && !job.leaving;
    return nothing ? std::nullopt : std::optional(std::move(change));
}

}  // namespace

std::string_view word_of(JobChange::Kind kind) {
    switch (kind) {
        case Kind::Start: return "start";
        case Kind::Add: return "add";
        case Kind::Stop: return "stop";
        case Kind::Restart: return "restart";
        case Kind::Live: return "live";
        case Kind::Later: return "later";
    }
    return {};
}

std::vector<std::string> ConfigurationChange::added() const { return jobs_with(*this, {Kind::Start, Kind::Add}); }

std::vector<std::string> ConfigurationChange::changed() const {
    return jobs_with(*this, {Kind::Restart, Kind::Live, Kind::Later});
}

std::vector<std::string> ConfigurationChange::removed() const { return jobs_with(*this, {Kind::Stop}); }

Configured Supervisor::shared(std::vector<JobSpec> jobs) const {
    Configured result;
    result.reserve(jobs.size());
    for (auto& spec : jobs) {
        const auto known = jobs_.find(spec.name);
        const bool same = known != jobs_.end() && *known->second.spec == spec;
        result.push_back(same ? known->second.spec : std::make_shared<const JobSpec>(std::move(spec)));
    }
    return result;
}

ConfigurationChange Supervisor::plan(const Configured& jobs, Restarts restarts) const {
    ConfigurationChange change;
    std::set<std::string_view> configured;
    for (const auto& spec : jobs) {
        configured.insert(spec->name);
        const auto known = jobs_.find(spec->name);
        if (known == jobs_.end()) {
            change.jobs.push_back({spec->name, spec->starts_at_once() ? Kind::Start : Kind::Add});
        } else if (auto one = change_of(known->second, spec, restarts)) {
            change.jobs.push_back(std::move(*one));
        } else {
            ++change.unchanged;
        }
    }
    for (const auto& [name, job] : jobs_) {
        if (!job.transient && !job.leaving && !configured.contains(name)) change.jobs.push_back({name, Kind::Stop});
    }
    std::sort(change.jobs.begin(), change.jobs.end(),
              [](const JobChange& a, const JobChange& b) { return a.job < b.job; });
    name_followers(jobs, change);
    name_pulled(jobs, change);
    return change;
}

void Supervisor::name_followers(const Configured& jobs, ConfigurationChange& change) const {
    std::set<std::string, std::less<>> restarted;
    for (const auto& one : change.jobs) {
        if (one.kind == Kind::Restart) restarted.insert(one.job);
    }
    if (restarted.empty()) return;
    const auto followers = followers_in(jobs);
    for (auto& one : change.jobs) {
        if (one.kind != Kind::Restart) continue;
        std::vector<std::string> reached{one.job};
        for (std::size_t i = 0; i < reached.size(); ++i) {
            const auto [first, last] = followers.equal_range(reached[i]);
            for (auto follower = first; follower != last; ++follower) {
                const auto job = jobs_.find(follower->second);
                const bool counts = job != jobs_.end() && is_up(job->second) && !restarted.contains(follower->second);
                if (counts) add_new(reached, {std::string(follower->second)});
            }
        }
        one.with.assign(reached.begin() + 1, reached.end());
    }
}

/// Whether a start of one that wants or requires `job` starts it too.
bool Supervisor::would_be_pulled(const JobSpec& job, const Requirement* requirement) const {
    const auto known = jobs_.find(job.name);
    if (known == jobs_.end() || known->second.leaving) return true;
    Link link{nullptr, Link::Kind::Wants};
    if (requirement != nullptr) link = {nullptr, Link::Kind::Requires, requirement->condition};
    const auto& instances = known->second.instances;
    return std::any_of(instances.begin(), instances.end(), [&](const auto& one) { return should_pull(link, *one); });
}

/// What is started with a job, though its own text says that it is not, or somebody has stopped it.
void Supervisor::name_pulled(const Configured& jobs, ConfigurationChange& change) const {
    if (change.jobs.empty()) return;
    std::map<std::string_view, const JobSpec*> by_name;
    std::set<std::string_view> started;
    for (const auto& spec : jobs) by_name.emplace(spec->name, spec.get());
    for (const auto& one : change.jobs) {
        if (one.kind == Kind::Start || one.kind == Kind::Restart) started.insert(one.job);
    }
    for (auto& one : change.jobs) {
        if (one.kind == Kind::Stop || one.kind == Kind::Add) continue;
        const auto known = jobs_.find(one.job);
        const bool starts = started.contains(one.job);
        const bool goes_on = known != jobs_.end() && is_up(known->second) &&
                             known->second.spec->dependencies != by_name.at(one.job)->dependencies;
        if (!starts && !goes_on) continue;
        std::vector<std::string> reached{one.job};
        const auto pull = [&](const std::string& name, const Requirement* requirement) {
            const auto other = by_name.find(name);
            if (other == by_name.end() || started.contains(name)) return;
            if (would_be_pulled(*other->second, requirement)) add_new(reached, {name});
        };
        for (std::size_t i = 0; i < reached.size(); ++i) {
            const auto& dependencies = by_name.at(reached[i])->dependencies;
            for (const auto& requirement : dependencies.requirements) pull(requirement.job, &requirement);
            for (const auto& name : dependencies.wants) pull(name, nullptr);
        }
        one.pulled.assign(reached.begin() + 1, reached.end());
    }
}

}  // namespace procsup
