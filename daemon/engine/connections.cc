// The supervisor's rules for jobs that accept: each connection is served by an instance of its own.
#include <utility>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

std::vector<const Instance*> without_places(const Job& job) {
    std::vector<const Instance*> found;
    for (const auto* list : {&job.instances, &job.leaving_instances}) {
        for (const auto& instance : *list) found.push_back(instance.get());
    }
    return found;
}

}  // namespace

std::vector<const Instance*> all_of(const Job& job) {
    auto all = without_places(job);
    if (!job.connections) return all;
    for (const auto& place : job.connections->places) all.push_back(place.get());
    return all;
}

std::vector<const Instance*> busy_places_of(const Job& job) {
    std::vector<const Instance*> busy;
    if (!job.connections) return busy;
    for (const auto& place : job.connections->places) {
        if (!is_settled(place->state()) || place->state() == State::Failed) busy.push_back(place.get());
    }
    return busy;
}

std::vector<const Instance*> present_of(const Job& job) {
    auto present = without_places(job);
    for (const auto* place : busy_places_of(job)) present.push_back(place);
    return present;
}

Supervisor::ConnectionCount Supervisor::connections_of(const Instance& listener) const {
    const auto* job = job_of(listener);
    if (job == nullptr || !job->connections) return {};
    return {job->connections->places.size() - job->connections->free.size(), job->connections->begun};
}

bool Supervisor::takes_connections(InstanceId listener) const {
    const auto* instance = find(listener);
    if (instance == nullptr || shutting_down_ || instance->state() != State::Listening) return false;
    return connections_of(*instance).served < instance->spec().max_connections();
}

InstanceId Supervisor::place_for_connection(InstanceId listener, TimePoint now) {
    if (!takes_connections(listener)) return 0;
    auto* job = by_id_.at(listener).job;
    const auto* place = free_place(*job, now);
    return place == nullptr ? 0 : place->id();
}

void Supervisor::serve(InstanceId place, std::string cause, TimePoint now) {
    const auto found = by_id_.find(place);
    if (found == by_id_.end()) return;
    const auto [instance, job] = found->second;
    auto& connections = *job->connections;
    connections.free.erase(instance->name().index - 1);
    ++connections.begun;
    // The text may be another one since it served the last one.
    instance->set_spec(connections.spec, instance->name());
    deliver(*instance, StartRequested{std::move(cause), true}, now);
}

Instance* Supervisor::free_place(Job& job, TimePoint now) {
    if (!job.connections) job.connections = std::make_unique<Connections>();
    auto& connections = *job.connections;
    if (connections.of != job.spec) {
        connections.of = job.spec;
        connections.spec = std::make_shared<const JobSpec>(connection_spec(*job.spec));
    }
    if (!connections.free.empty()) return connections.places[*connections.free.begin()].get();
    return instance_count() < kMostInstances ? &add_place(job, now) : nullptr;
}

/// Called and numbered as a further instance of the job.
Instance& Supervisor::add_place(Job& job, TimePoint now) {
    auto& connections = *job.connections;
    const auto number = static_cast<std::uint32_t>(connections.places.size());
    InstanceName name{job.spec->name, job.spec->name + "@" + std::to_string(number + 1), number + 1, std::nullopt};
    const auto id = next_id_++;
    connections.places.push_back(std::make_unique<Instance>(id, connections.spec, std::move(name), now));
    connections.free.insert(number);
    by_id_.emplace(id, Member{connections.places.back().get(), &job});
    ++by_state_[static_cast<std::size_t>(State::Stopped)];
    return *connections.places.back();
}

/// It has settled.
void Supervisor::note_place(const Job& job, const Instance& instance) {
    if (!instance.spec().serves_connection() || !job.connections) return;
    job.connections->free.insert(instance.name().index - 1);
}

}  // namespace procsup
