// The supervisor's rules for daemon children: started when what they are bound to runs, stopped when that has ended, and
// ended before it starts again.
#include <utility>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

/// Also while processes that the main one has left behind are being ended.
bool has_ended(const Instance& instance) {
    return !is_live(instance.state()) || (instance.state() == State::Stopping && instance.pid() == 0);
}

}  // namespace

/// From the newest configuration; transient daemons keep their bond.
void Supervisor::bind_daemons() {
    for (const auto& [name, job] : jobs_) {
        if (job.transient) continue;
        const auto parent = jobs_.find(job.spec->daemon_of);
        for (const auto& instance : job.instances) {
            bonds_.clear_parent(instance->id());
            if (job.spec->daemon_of.empty() || parent == jobs_.end()) continue;
            for (const auto& other : parent->second.instances) {
                const bool same = other->name().index == instance->name().index;
                if (same || parent->second.instances.size() == 1) bonds_.bind(instance->id(), other->id());
            }
        }
    }
}

std::string Supervisor::waits_for_bond(const Instance& instance) const {
    const auto* parent = find(bonds_.parent_of(instance.id()));
    if (parent != nullptr && !is_executing(parent->state())) return parent->name().instance + " to run";
    for (const auto id : bonds_.children_of(instance.id())) {
        const auto* child = find(id);
        if (child == nullptr || child->spec().on_parent_restart == OnParentRestart::Keep) continue;
        if (is_live(child->state())) return "its daemon " + child->name().instance + " to end";
    }
    return {};
}

bool Supervisor::is_bound_to_live(const Instance& instance) const {
    const auto* parent = find(bonds_.parent_of(instance.id()));
    return parent != nullptr && !has_ended(*parent);
}

void Supervisor::settle_bonds(const Instance& changed, TimePoint now) {
    for (const auto child : bonds_.children_of(changed.id())) {
        if (is_executing(changed.state())) deliver(*by_id_.at(child).instance, MayStart{changed.id()}, now);
    }
    if (has_ended(changed)) end_daemons_of(changed, now);
    const auto parent = by_id_.find(bonds_.parent_of(changed.id()));
    if (parent != by_id_.end()) deliver(*parent->second.instance, MayStart{changed.id()}, now);
}

void Supervisor::end_daemons_of(const Instance& parent, TimePoint now) {
    for (const auto id : bonds_.children_of(parent.id())) end_daemon_child(*by_id_.at(id).instance, parent, now);
}

void Supervisor::end_daemon_child(Instance& child, const Instance& parent, TimePoint now) {
    const bool up = is_live(child.state()) && child.state() != State::Stopping;
    const bool coming = child.state() == State::Backoff || child.state() == State::Waiting;
    const auto policy = child.spec().on_parent_restart;
    if (policy == OnParentRestart::Keep && !is_settled(parent.state())) return;
    const auto cause = parent.name().instance + ", whose daemon it is, has ended: " + parent.cause();
    if (shutting_down_ || policy == OnParentRestart::Stop) {
        if (up || coming) deliver(child, StopRequested{cause}, now);
    } else if (up || child.state() == State::Backoff) {
        // As a restart: its next start waits until that runs again.
        deliver(child, RestartRequested{cause}, now);
    }
}

}  // namespace procsup
