// The supervisor's rules for groups: what becomes of the other members when the run of one has failed.
#include <algorithm>
#include <utility>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

/// Whether it is restarted with another member; what is to be started again anyway waits for its turn by itself.
bool takes_part(const Instance& instance) {
    const bool runs = is_executing(instance.state()) || instance.state() == State::Starting;
    return runs || (instance.spec().type == JobType::Oneshot && instance.ready());
}

}  // namespace

/// From the newest configuration. What was counted of a group stays as long as there is one of its name.
void Supervisor::form_groups() {
    for (auto& [name, group] : groups_) group.members.clear();
    for (auto& [name, job] : jobs_) {
        const auto& membership = job.spec->membership;
        if (!membership.group.empty() && !job.transient && !job.leaving)
            groups_[membership.group].members.push_back(&job);
    }
    std::erase_if(groups_, [](const auto& group) { return group.second.members.empty(); });
    for (auto& [name, group] : groups_) {
        std::sort(group.members.begin(), group.members.end(), [](const Job* a, const Job* b) {
            return a->spec->membership.position < b->spec->membership.position;
        });
    }
}

Group* Supervisor::group_of(const Job* job) {
    if (job == nullptr || job->leaving || job->spec->membership.group.empty()) return nullptr;
    const auto found = groups_.find(job->spec->membership.group);
    return found == groups_.end() ? nullptr : &found->second;
}

const Group* Supervisor::find_group(std::string_view name) const {
    const auto found = groups_.find(name);
    return found == groups_.end() ? nullptr : &found->second;
}

/// Members that depend on each other are ended before one of them is started again.
const Instance* Supervisor::member_that_stops(const Job& job) const {
    if (!job.spec->membership.is_ordered()) return nullptr;
    const auto* group = find_group(job.spec->membership.group);
    if (group == nullptr) return nullptr;
    const auto behind = std::find(group->members.begin(), group->members.end(), &job);
    for (auto member = behind; member != group->members.end(); ++member) {
        if (*member == &job) continue;
        for (const auto& instance : (*member)->instances) {
            if (instance->state() == State::Stopping) return instance.get();
        }
    }
    return nullptr;
}

/// Those before it may have waited for it to end.
void Supervisor::settle_group(const Instance& changed, TimePoint now) {
    const auto* job = job_of(changed);
    const auto* group = group_of(job);
    if (group == nullptr || !job->spec->membership.is_ordered() || changed.state() == State::Stopping) return;
    for (const auto* member : group->members) {
        if (member == job) return;
        for (const auto& instance : member->instances) {
            if (instance->state() == State::Waiting) deliver(*instance, MayStart{changed.id()}, now);
        }
    }
}

void Supervisor::note_member_failure(const Instance& instance, State to) {
    if (instance.spec().membership.group.empty()) return;
    // What waits for another job, and what ends with its group, has not failed itself.
    const bool for_good = to == State::Failed && !instance.held_back() && !instance.fails_with_group();
    if (to == State::Backoff || for_good) member_failures_.push_back({instance.id(), instance.cause(), for_good});
}

/// It is about to be started again by its policy, or has failed for good.
void Supervisor::member_failed(const MemberFailure& failure, TimePoint now) {
    const auto member = by_id_.find(failure.id);
    if (member == by_id_.end() || shutting_down_) return;
    const auto [instance, job] = member->second;
    auto* group = group_of(job);
    if (group == nullptr) return;
    const auto& settings = job->spec->membership;
    const auto& name = instance->name().instance;
    if (failure.for_good) {
        // The others could not do without it.
        if (settings.is_ordered()) exhaust(*group, *instance, name + " has failed: " + failure.cause, now);
    } else if (!group->restarts.admit(settings.intensity, now)) {
        exhaust(*group, *instance,
                "intensity (" + to_text(settings.intensity) + ") reached; last: " + name + ": " + failure.cause, now);
    } else if (settings.is_ordered()) {
        restart_others(*group, *instance, *job, failure.cause, now);
    }
}

void Supervisor::restart_others(const Group& group, const Instance& failed, const Job& job, const std::string& cause,
                                TimePoint now) {
    const bool all = job.spec->membership.strategy == Membership::Strategy::OneForAll;
    const auto from =
        all ? group.members.begin() : std::next(std::find(group.members.begin(), group.members.end(), &job));
    const auto why = "restarted with " + failed.name().instance + ", of its group " + job.spec->membership.group +
                     ", which has ended: " + cause;
    std::vector<Target> others;
    for (auto member = from; member != group.members.end(); ++member) {
        for (const auto& instance : (*member)->instances) {
            if (instance.get() != &failed && takes_part(*instance)) others.push_back({*member, instance.get(), why});
        }
    }
    restart_in_order(std::move(others), now);
}

/// What follows is up to whoever looks after it: then it is counted anew.
void Supervisor::exhaust(Group& group, const Instance& failed, const std::string& how, TimePoint now) {
    const auto settings = group.settings();
    const auto cause = "group " + settings.group + ": " + how;
    group.restarts.clear();
    if (settings.on_exhausted == Membership::OnExhausted::Shutdown) {
        announcer_.end_daemon(failed.exit_code(), cause);
        return;
    }
    std::vector<Target> members, connections;
    for (auto* member : group.members) {
        for (const auto& instance : member->instances) members.push_back({member, instance.get(), cause});
        if (member->connections) {
            for (const auto& place : member->connections->places) connections.push_back({member, place.get(), cause});
        }
    }
    for (const auto& one : connections) deliver(*one.instance, StopRequested{cause}, now);
    last_first(members);
    for (const auto& member : members) deliver(*member.instance, GroupFailed{member.cause}, now);
}

}  // namespace procsup
