// What is asked of several instances at once is done in the order in which they depend on each other.
#include <algorithm>
#include <set>
#include <unordered_set>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

/// Whether it runs, or is to.
bool goes_down(const Instance& instance) {
    return instance.state() == State::Stopping ? instance.wanted() : !is_settled(instance.state());
}

/// Or is up without a process.
bool stays_up(const Instance& instance) { return goes_down(instance) || instance.ready(); }

/// What a oneshot has required is not needed any more when it is done, but by the command that undoes it.
bool goes_down_with_another(const Instance& instance) { return goes_down(instance) || instance.has_to_be_undone(); }

bool restarts_with(const Link& link) { return link.lasts() && link.on_restart == Requirement::OnRestart::Restart; }

bool cannot_do_without(const Link& link) { return link.lasts(); }

}  // namespace

void Supervisor::start(const std::vector<InstanceId>& ids, const std::string& cause, TimePoint now, OnBehalf whom) {
    if (shutting_down_) return;
    auto asked = targets(ids, cause);
    std::vector<Job*> jobs;
    for (const auto& target : asked) jobs.push_back(target.job);
    add_pulled(std::move(jobs), asked, whom);
    start_in_order(std::move(asked), now);
}

void Supervisor::stop(const std::vector<InstanceId>& ids, const std::string& cause, TimePoint now) {
    stop_in_order(targets(ids, cause), true, now);
}

void Supervisor::stop_in_order(std::vector<Target> asked, bool by_order, TimePoint now) {
    last_first(asked);
    for (const auto& target : asked) deliver(*target.instance, StopRequested{target.cause, by_order}, now);
}

void Supervisor::restart(const std::vector<InstanceId>& ids, const std::string& cause, TimePoint now, OnBehalf whom) {
    restart(targets(ids, cause), now, whom);
}

void Supervisor::restart(std::vector<Target> asked, TimePoint now, OnBehalf whom) {
    if (shutting_down_) return;
    std::vector<Job*> jobs;
    std::unordered_set<const Instance*> known;
    for (const auto& target : asked) {
        jobs.push_back(target.job);
        known.insert(target.instance);
    }
    std::vector<Target> pulled;
    add_pulled(std::move(jobs), pulled, whom);
    std::erase_if(pulled, [&](const Target& target) { return known.contains(target.instance); });
    start_in_order(std::move(pulled), now);
    restart_in_order(std::move(asked), now);
}

void Supervisor::restart_in_order(std::vector<Target> targets, TimePoint now) {
    // Connections stay when their job is listening anew, but cannot do without what it requires any more than it can.
    std::erase_if(targets, [](const Target& target) { return target.instance->spec().serves_connection(); });
    add_followers(targets, restarts_with);
    last_first(targets);
    for (const auto& target : targets) {
        if (target.instance->spec().serves_connection()) {
            deliver(*target.instance, StopRequested{target.cause}, now);
        } else {
            deliver(*target.instance, RestartRequested{target.cause}, now);
        }
    }
}

void Supervisor::shut_down(const std::string& cause, TimePoint now) {
    shutting_down_ = true;
    end_rolls("procsupd is ending", now);
    std::vector<InstanceId> ids;
    ids.reserve(by_id_.size());
    for (const auto& [id, member] : by_id_) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    auto all = targets(ids, cause);
    last_first(all);
    // A daemon is stopped when what it is bound to has ended.
    for (const auto& target : all) {
        if (!is_bound_to_live(*target.instance)) deliver(*target.instance, StopRequested{target.cause}, now);
    }
}

std::vector<InstanceId> Supervisor::would_end(const std::vector<InstanceId>& ids) const {
    auto down = const_cast<Supervisor*>(this)->targets(ids, {});
    const auto asked = down.size();
    add_followers(down, cannot_do_without);
    std::vector<InstanceId> others;
    for (std::size_t i = asked; i < down.size(); ++i) others.push_back(down[i].instance->id());
    return others;
}

std::vector<Supervisor::Target> Supervisor::targets(const std::vector<InstanceId>& ids, const std::string& cause) {
    std::vector<Target> found;
    found.reserve(ids.size());
    for (const auto id : ids) {
        const auto member = by_id_.find(id);
        if (member != by_id_.end()) found.push_back({member->second.job, member->second.instance, cause});
    }
    return found;
}

void Supervisor::add_pulled(std::vector<Job*> jobs, std::vector<Target>& targets, OnBehalf whom) {
    std::unordered_set<const Job*> seen;
    std::unordered_set<InstanceId> known;
    for (const auto& target : targets) known.insert(target.instance->id());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto* job = jobs[i];
        if (!seen.insert(job).second) continue;
        for (const auto& link : job->links) {
            if (link.to->leaving) continue;
            const auto* const how = link.kind == Link::Kind::Requires ? "required by " : "wanted by ";
            for (const auto& instance : link.to->instances) {
                if (!should_pull(link, *instance)) continue;
                if (instance->stopped_by_order() && !whom.may_operate(*link.to->spec)) continue;
                jobs.push_back(link.to);
                if (known.insert(instance->id()).second) {
                    targets.push_back({link.to, instance.get(), how + job->spec->name});
                }
            }
        }
    }
}

void Supervisor::add_followers(std::vector<Target>& targets, bool (*follows)(const Link&)) {
    std::set<InstanceId> down;
    for (const auto& target : targets) down.insert(target.instance->id());
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const Job& job = *targets[i].job;
        const bool one_stays = std::any_of(job.instances.begin(), job.instances.end(), [&](const auto& instance) {
            return stays_up(*instance) && !down.contains(instance->id());
        });
        if (one_stays) continue;
        for (Job* dependent : job.dependents) {
            const bool follow = std::any_of(dependent->links.begin(), dependent->links.end(),
                                            [&](const Link& link) { return link.to == &job && follows(link); });
            if (!follow) continue;
            const auto follow_one = [&](Instance& instance) {
                if (!goes_down_with_another(instance) || !down.insert(instance.id()).second) return;
                targets.push_back({dependent, &instance, targets[i].cause + ", with " + job.spec->name});
            };
            for (const auto& instance : dependent->instances) follow_one(*instance);
            if (!dependent->connections) continue;
            for (const auto& place : dependent->connections->places) follow_one(*place);
        }
    }
}

void Supervisor::start_in_order(std::vector<Target> targets, TimePoint now) {
    std::stable_sort(targets.begin(), targets.end(),
                     [](const Target& a, const Target& b) { return a.job->rank < b.job->rank; });
    for (const auto& target : targets) {
        if (!shutting_down_) deliver(*target.instance, StartRequested{target.cause}, now);
    }
}

void Supervisor::last_first(std::vector<Target>& targets) {
    std::stable_sort(targets.begin(), targets.end(),
                     [](const Target& a, const Target& b) { return a.job->rank > b.job->rank; });
}

}  // namespace procsup
