// The supervisor's rules for jobs that depend on others: each is started when what it depends on is there, stopped before it, and
// ended when what it requires is gone.
#include <utility>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

bool runs_or_is_about_to(const Instance& instance) {
    switch (instance.state()) {
        case State::Starting:
        case State::Running:
        case State::Reloading:
        case State::Paused:
        case State::Listening:
        case State::Backoff: return true;
        case State::Stopped:
        case State::Waiting:
        case State::Stopping:
        case State::Exited:
        case State::Failed: return false;
    }
    return false;
}

/// Some of many names, for a line of text.
class Names {
public:
    /// `write` adds one more to the text, if that is to have it.
    template <typename Write>
    void add(const Write& write) {
        if (++count_ > kMostNamed) return;
        if (count_ > 1) text_ += ", ";
        write(text_);
    }
    std::string text() && {
        if (count_ > kMostNamed) text_ += " and " + std::to_string(count_ - kMostNamed) + " more";
        return std::move(text_);
    }

private:
    static constexpr std::size_t kMostNamed = 3;
    std::string text_;
    std::size_t count_ = 0;
};

}  // namespace

Obstacle Supervisor::before_start(const Instance& instance) const {
    if (auto bond = waits_for_bond(instance); !bond.empty()) return {std::move(bond), false};
    const auto* job = job_of(instance);
    if (job == nullptr) return {};
    if (const auto* other = holder_of_place(*job, instance)) {
        return {other->name().instance + " to end, whose place it takes", false, true};
    }
    Names waited_for;
    for (const auto& link : job->links) {
        const auto state = look_at(link);
        if (state.met) continue;
        if (state.hopeless) {
            std::string text;
            add_obstacle(text, link, state);
            return {std::move(text), true};
        }
        waited_for.add([&](std::string& text) { add_obstacle(text, link, state); });
    }
    if (const auto* other = member_that_stops(*job)) {
        waited_for.add([&](std::string& text) { text += other->name().instance + " to end"; });
    }
    return {std::move(waited_for).text(), false};
}

/// The instance that ends and still has the number, and with it the port, that the next run of `instance` is to have.
const Instance* Supervisor::holder_of_place(const Job& job, const Instance& instance) {
    const auto index = instance.next_name().index;
    for (const auto* list : {&job.leaving_instances, &job.instances}) {
        for (const auto& other : *list) {
            const bool ends = is_live(other->state()) && (other->left() || other->state() == State::Stopping);
            if (ends && other.get() != &instance && other->name().index == index) return other.get();
        }
    }
    return nullptr;
}

/// Others of its job may be to have the number that it had.
void Supervisor::settle_places(const Instance& changed, TimePoint now) {
    const bool frees = !is_live(changed.state()) || changed.state() == State::Starting;
    if (!frees || by_state_[static_cast<std::size_t>(State::Waiting)] == 0) return;
    const auto* job = job_of(changed);
    if (job == nullptr) return;
    for (const auto& other : job->instances) {
        if (other->waits_for_place()) deliver(*other, MayStart{changed.id()}, now);
    }
}

/// What is started after an instance is stopped before it, where both are to be stopped.
std::string Supervisor::before_stop(const Instance& instance) const {
    const auto* job = job_of(instance);
    if (job == nullptr) return {};
    Names waited_for;
    for (const auto* dependent : job->dependents) {
        for (const auto* other : all_of(*dependent)) {
            const bool ends = other->state() == State::Stopping || (shutting_down_ && is_live(other->state()));
            if (ends) waited_for.add([&](std::string& text) { text += other->name().instance; });
        }
    }
    return std::move(waited_for).text();
}

void Supervisor::settle_links(const Instance& changed, TimePoint now) {
    Job* job = job_of(changed);
    if (job == nullptr) return;
    if (std::exchange(job->standing_told, job->standing) != job->standing) {
        for (Job* dependent : job->dependents) {
            for (auto& link : dependent->links) {
                if (link.to == job) settle_link(*dependent, link, changed, now);
            }
            if (dependent->spec->max_lifetime != kForever) recycle_one_of(*dependent, now);
        }
    }
    if (by_state_[static_cast<std::size_t>(State::Stopping)] == 0) return;
    for (const auto& link : job->links) {
        for (const auto* list : {&link.to->instances, &link.to->leaving_instances}) {
            for (const auto& instance : *list) {
                if (instance->stop_held()) deliver(*instance, MayStop{}, now);
            }
        }
        if (!link.to->connections) continue;
        for (const auto& place : link.to->connections->places) {
            if (place->stop_held()) deliver(*place, MayStop{}, now);
        }
    }
}

void Supervisor::settle_link(Job& dependent, Link& link, const Instance& changed, TimePoint now) {
    const auto state = look_at(link);
    if (dependent.connections) settle_connections(dependent, link, state, changed, now);
    for (const auto& instance : dependent.instances) {
        const bool could_start = instance->state() == State::Waiting || instance->held_back();
        if (could_start && (state.met || state.hopeless)) deliver(*instance, MayStart{changed.id()}, now);
        if (state.down && !shutting_down_ && runs_or_is_about_to(*instance)) {
            requirement_down(*instance, link, state, now);
        }
    }
    if (!state.met || !std::exchange(link.signal_due, false)) return;
    for (const auto& instance : dependent.instances) {
        reload(instance->id(), link.to->spec->name + ", which it requires, is there again", now);
    }
}

/// What serves connections is not started again: it ends where its job cannot go on.
void Supervisor::settle_connections(Job& dependent, const Link& link, const LinkState& state, const Instance& changed,
                                    TimePoint now) {
    for (const auto& place : dependent.connections->places) {
        const bool waits = place->state() == State::Waiting && (state.met || state.hopeless);
        if (waits) deliver(*place, MayStart{changed.id()}, now);
        const bool ends = state.lost || (state.down && link.on_restart == Requirement::OnRestart::Restart);
        if (!ends || shutting_down_ || !runs_or_is_about_to(*place)) continue;
        std::string text = "requires ";
        add_obstacle(text, link, state);
        deliver(*place, StopRequested{std::move(text)}, now);
    }
}

void Supervisor::requirement_down(Instance& instance, Link& link, const LinkState& state, TimePoint now) {
    const auto& name = link.to->spec->name;
    if (state.lost) {
        std::string text = "requires ";
        add_obstacle(text, link, state);
        deliver(instance, RequirementLost{std::move(text)}, now);
    } else if (link.on_restart == Requirement::OnRestart::Restart && is_live(instance.state())) {
        deliver(instance, RestartRequested{"restarted with " + name + ", which it requires"}, now);
    } else if (link.on_restart == Requirement::OnRestart::Signal) {
        link.signal_due = true;
    }
}

}  // namespace procsup
