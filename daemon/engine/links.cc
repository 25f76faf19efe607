#include "daemon/engine/links.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace procsup {
namespace {

using Condition = Requirement::Condition;

void add_link(Jobs& jobs, Job& job, const std::string& name, Link link) {
    const auto other = jobs.find(name);
    if (other == jobs.end() || &other->second == &job || other->second.transient) return;
    link.to = &other->second;
    job.links.push_back(link);
}

void add_links(Jobs& jobs, Job& job) {
    const auto& dependencies = job.spec->dependencies;
    for (const auto& one : dependencies.requirements) {
        add_link(jobs, job, one.job, {nullptr, Link::Kind::Requires, one.condition, one.on_restart});
    }
    for (const auto& name : dependencies.wants) add_link(jobs, job, name, {nullptr, Link::Kind::Wants});
    for (const auto& name : dependencies.after) add_link(jobs, job, name, {nullptr, Link::Kind::After});
    for (const auto& name : dependencies.before) {
        const auto other = jobs.find(name);
        if (other == jobs.end() || other->second.transient || &other->second == &job) continue;
        other->second.links.push_back({&job, Link::Kind::After});
    }
}

/// Of members that are started in order: to all that are before each.
void add_group_links(Jobs& jobs) {
    std::map<std::string_view, std::vector<Job*>> groups;
    for (auto& [name, job] : jobs) {
        if (!job.transient && job.spec->membership.is_ordered()) groups[job.spec->membership.group].push_back(&job);
    }
    for (const auto& [name, members] : groups) {
        for (auto* job : members) {
            for (auto* other : members) {
                const bool is_before = other->spec->membership.position < job->spec->membership.position;
                if (is_before) job->links.push_back({other, Link::Kind::Group});
            }
        }
    }
}

/// Ranks by removing, again and again, what has no link to a job that is left.
void rank_jobs(Jobs& jobs) {
    std::map<const Job*, std::size_t> open;
    std::vector<Job*> ranked;
    for (auto& [name, job] : jobs) {
        job.rank = 0;
        if (!job.links.empty()) {
            open[&job] = job.links.size();
        } else if (!job.dependents.empty()) {
            ranked.push_back(&job);
        }
    }
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        for (Job* dependent : ranked[i]->dependents) {
            const auto count = std::count_if(dependent->links.begin(), dependent->links.end(),
                                             [&](const Link& link) { return link.to == ranked[i]; });
            dependent->rank = std::max(dependent->rank, ranked[i]->rank + 1);
            auto& left = open.at(dependent);
            left -= static_cast<std::size_t>(count);
            if (left == 0) ranked.push_back(dependent);
        }
    }
}

// Sets of bits: one for each condition that is met, one for each that is not and will not be, one more.
constexpr unsigned met_bit(Condition condition) { return 1U << static_cast<unsigned>(condition); }
constexpr unsigned gone_bit(Condition condition) { return met_bit(condition) << 8; }
constexpr unsigned kBeingStarted = 1U << 16, kInBackoff = 1U << 17;

bool meets(Condition condition, const Instance& instance) {
    const bool over = instance.state() == State::Exited || instance.state() == State::Failed;
    switch (condition) {
        case Condition::Started: return is_executing(instance.state()) || instance.ready();
        case Condition::Ready: return instance.ready();
        case Condition::Healthy: return instance.healthy();
        case Condition::ExitedOk: return instance.state() == State::Exited;
        case Condition::Exited: return over && instance.runs_ended() > 0;
    }
    return false;
}

/// What is unhealthy takes nothing down that was started when it was not.
constexpr Condition to_keep(Condition condition) {
    return condition == Condition::Healthy ? Condition::Ready : condition;
}

/// Whether a start of it is under way, which will succeed or fail, or a stop; what is to be tried again later has failed.
bool is_being_started(const Instance& instance) {
    switch (instance.state()) {
        case State::Waiting:
        case State::Stopping: return true;
        case State::Starting:
        case State::Running: return !instance.ready();
        case State::Listening:
        case State::Reloading:
        case State::Stopped:
        case State::Paused:
        case State::Backoff:
        case State::Exited:
        case State::Failed: return false;
    }
    return false;
}

std::string_view what_it_must_be(const Link& link) {
    switch (link.condition) {
        case Condition::Started: return " to be started";
        case Condition::Ready: return " to be ready";
        case Condition::Healthy: return " to be healthy";
        case Condition::ExitedOk: return " to end well";
        case Condition::Exited: return " to end";
    }
    return {};
}

std::string hopeless_text(const Link& link) {
    for (const auto& instance : link.to->instances) {
        if (meets(link.condition, *instance)) continue;
        const auto& which = instance->name().instance;
        if (instance->state() == State::Failed) return which + ", which has failed: " + instance->cause();
        if (instance->state() == State::Exited) return which + ", which has ended: " + instance->cause();
        if (instance->state() != State::Stopped) continue;
        if (!instance->stopped_by_order()) return which + ", which is stopped";
        return which + ", which was stopped by order; who may operate it can start it: procsupctl start " + which;
    }
    return link.to->spec->name + ", which is no longer configured";
}

}  // namespace

void link_jobs(Jobs& jobs) {
    std::set<std::pair<const Job*, const Job*>> signals_due;
    for (auto& [name, job] : jobs) {
        for (const auto& link : job.links) {
            if (link.signal_due) signals_due.emplace(&job, link.to);
        }
        job.links.clear();
        job.dependents.clear();
    }
    for (auto& [name, job] : jobs) {
        if (!job.transient) add_links(jobs, job);
    }
    add_group_links(jobs);
    for (auto& [name, job] : jobs) {
        job.standing = standing_of(job);
        job.standing_told.reset();
    }
    for (auto& [name, job] : jobs) {
        for (auto& link : job.links) {
            link.signal_due = signals_due.contains({&job, link.to});
            auto& dependents = link.to->dependents;
            if (dependents.empty() || dependents.back() != &job) dependents.push_back(&job);
        }
    }
    rank_jobs(jobs);
}

void unlink_job(Job& job) {
    for (Job* dependent : job.dependents) {
        std::erase_if(dependent->links, [&](const Link& link) { return link.to == &job; });
    }
    for (const auto& link : job.links) std::erase(link.to->dependents, &job);
}

Standing standing_of(const Job& job) {
    constexpr std::array kConditions{Condition::Started, Condition::Ready, Condition::Healthy, Condition::ExitedOk,
                                     Condition::Exited};
    Standing standing{~0U, 0};
    for (const auto& instance : job.instances) {
        const bool settled = is_settled(instance->state());
        unsigned bits = is_being_started(*instance) ? kBeingStarted : 0;
        if (instance->state() == State::Backoff) bits |= kInBackoff;
        for (const auto condition : kConditions) {
            if (meets(condition, *instance)) {
                bits |= met_bit(condition);
            } else if (settled) {
                bits |= gone_bit(condition);
            }
        }
        standing.all &= bits;
        standing.any |= bits;
    }
    return standing;
}

LinkState look_at(const Link& link) {
    const auto [all, any] = link.to->standing;
    LinkState state;
    if (link.kind != Link::Kind::Requires) {
        // In its group its turn comes first also when it is to be tried again.
        const unsigned waited_for = link.kind == Link::Kind::Group ? kBeingStarted | kInBackoff : kBeingStarted;
        state.met = (any & waited_for) == 0;
        return state;
    }
    const auto is_met = met_bit(link.condition), is_gone = gone_bit(link.condition);
    const bool leaves = link.to->leaving;
    state.met = (all & is_met) != 0;
    state.hopeless = leaves ? !state.met : (any & is_gone) != 0;
    state.down = link.lasts() && (any & met_bit(to_keep(link.condition))) == 0;
    state.lost = state.down && (leaves ? (any & is_met) == 0 : (all & is_gone) != 0);
    return state;
}

void add_obstacle(std::string& text, const Link& link, const LinkState& state) {
    const auto& name = link.to->spec->name;
    if (!state.hopeless) {
        text.append(name).append(what_it_must_be(link));
    } else {
        text += hopeless_text(link);
    }
}

bool should_pull(const Link& link, const Instance& instance) {
    if (link.kind == Link::Kind::After || link.kind == Link::Kind::Group || instance.ready()) return false;
    if (link.kind == Link::Kind::Requires && meets(link.condition, instance)) return false;
    const bool ends = instance.state() == State::Stopping && !instance.wanted();
    return ends || is_settled(instance.state()) || instance.state() == State::Backoff;
}

}  // namespace procsup
