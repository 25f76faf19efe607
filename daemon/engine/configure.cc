// What a new configuration changes: jobs are added, take another text, or leave.
#include <algorithm>
#include <set>
#include <utility>

#include "daemon/engine/supervisor.h"
#include "daemon/engine/text_change.h"

namespace procsup {
namespace {

/// Whether one of its instances runs, or is to.
bool is_up(const Job& job) {
    return std::any_of(job.instances.begin(), job.instances.end(),
                       [](const auto& instance) { return !is_settled(instance->state()); });
}

std::string listed(const std::vector<std::string>& keys) {
    std::string text;
    for (const auto& key : keys) text += (text.empty() ? "" : ", ") + key;
    return text;
}

}  // namespace

ConfigurationChange Supervisor::configure(const Configured& jobs, TimePoint now, Restarts restarts) {
    auto change = plan(jobs, restarts);
    if (!configured_) booted_ = now;
    const auto* const why = std::exchange(configured_, true) ? "added to the configuration" : "started with the daemon";
    std::set<std::string_view> configured;
    std::vector<Job*> needy;
    for (const auto& spec : jobs) {
        configured.insert(spec->name);
        const auto known = jobs_.find(spec->name);
        if (known == jobs_.end()) {
            const Job& job = add_job(spec, now);
            if (!spec->starts_at_once()) continue;
            for (const auto& instance : job.instances) to_start_.push_back(instance->id());
        } else {
            Job& job = known->second;
            const bool needs_others = job.spec->dependencies != spec->dependencies;
            update_job(job, spec, restarts, now);
            if (needs_others && is_up(job)) needy.push_back(&job);
        }
    }
    for (auto& [name, job] : jobs_) {
        if (!job.transient && !job.leaving && !configured.contains(name)) let_job_leave(job);
    }
    bind_daemons();
    form_groups();
    link_jobs(jobs_);
    const auto held_up = all_held_up();
    stop_in_order(targets(std::exchange(to_stop_, {}), "removed from the configuration"), false, now);
    restart(std::exchange(to_restart_, {}), now);
    auto to_start = targets(std::exchange(to_start_, {}), why);
    for (const auto& target : to_start) needy.push_back(target.job);
    add_pulled(std::move(needy), to_start);
    start_in_order(std::move(to_start), now);
    reconsider(held_up, now);
    carry_on_rolls(now);
    renew_timetables(now);
    return change;
}

void Supervisor::let_job_leave(Job& job) {
    job.leaving = true;
    ending_jobs_.push_back(job.spec->name);
    for (const auto& instance : job.instances) {
        instance->set_left(true);
        to_stop_.push_back(instance->id());
    }
    stop_connections(job);
}

/// The job has gone, or serves no connections any more.
void Supervisor::stop_connections(const Job& job) {
    if (!job.connections) return;
    for (const auto& place : job.connections->places) {
        if (!is_settled(place->state())) to_stop_.push_back(place->id());
    }
    ending_jobs_.push_back(job.spec->name);
}

std::vector<InstanceId> Supervisor::all_held_up() const {
    std::vector<InstanceId> held_up;
    for (const auto& [name, job] : jobs_) {
        for (const auto* one : all_of(job)) {
            const bool cannot_start = one->state() == State::Waiting || one->held_back();
            if (cannot_start || one->stop_held() || one->recycle_due()) held_up.push_back(one->id());
        }
    }
    return held_up;
}

/// What they wait for may be none of theirs any more.
void Supervisor::reconsider(const std::vector<InstanceId>& held_up, TimePoint now) {
    for (const auto id : held_up) {
        const auto found = by_id_.find(id);
        if (found == by_id_.end()) continue;
        Instance& instance = *found->second.instance;
        if (instance.state() == State::Waiting || instance.held_back()) deliver(instance, MayStart{}, now);
        if (instance.stop_held()) deliver(instance, MayStop{}, now);
        if (instance.recycle_due()) deliver(instance, MayRecycle{}, now);
    }
}

InstanceId Supervisor::add_instance(Job& job, const std::shared_ptr<const JobSpec>& spec, InstanceName name,
                                    TimePoint now) {
    const auto id = next_id_++;
    job.instances.push_back(std::make_unique<Instance>(id, spec, std::move(name), now));
    by_id_.emplace(id, Member{job.instances.back().get(), &job});
    ++by_state_[static_cast<std::size_t>(State::Stopped)];
    return id;
}

Job& Supervisor::add_job(std::shared_ptr<const JobSpec> spec, TimePoint now) {
    Job& job = jobs_[spec->name];
    for (auto& name : instance_names(*spec)) add_instance(job, spec, std::move(name), now);
    job.spec = std::move(spec);
    return job;
}

void Supervisor::update_job(Job& job, const std::shared_ptr<const JobSpec>& spec, Restarts restarts, TimePoint now) {
    const bool starts = starts_added(job, *spec);
    job.scaled = scaled_with(job, *spec);
    const bool was_leaving = std::exchange(job.leaving, false);
    const auto has_it = [&](const auto& instance) { return has_text(*instance, *spec, restarts); };
    if (!was_leaving && job.spec == spec && std::all_of(job.instances.begin(), job.instances.end(), has_it)) return;
    // A command that was run once under this name is the job's from now on.
    job.transient = false;
    auto before = std::exchange(job.instances, {});
    // One that is on its way out is taken back: there are never two of a name.
    for (auto& instance : std::exchange(job.leaving_instances, {})) before.push_back(std::move(instance));
    job.spec = spec;
    if (!spec->accepts()) stop_connections(job);
    for (auto& name : names_with(*spec, job.scaled)) {
        const auto same = std::find_if(before.begin(), before.end(), [&](const auto& instance) {
            return instance && instance->name().instance == name.instance;
        });
        if (same != before.end()) {
            update_instance(**same, std::move(name), spec, restarts, now);
            if ((*same)->left() && spec->starts_at_once()) to_start_.push_back((*same)->id());
            (*same)->set_left(false);
            job.instances.push_back(std::move(*same));
            continue;
        }
        const auto id = add_instance(job, spec, std::move(name), now);
        if (starts) to_start_.push_back(id);
    }
    for (auto& instance : before) {
        if (!instance) continue;
        instance->set_left(true);
        to_stop_.push_back(instance->id());
        job.leaving_instances.push_back(std::move(instance));
    }
    if (!job.leaving_instances.empty()) ending_jobs_.push_back(spec->name);
}

void Supervisor::update_instance(Instance& instance, InstanceName name, const std::shared_ptr<const JobSpec>& spec,
                                 Restarts restarts, TimePoint now) {
    const auto change = text_change(instance, name, *spec, restarts);
    if (change.takes == Takes::Now) {
        deliver(instance, SpecChanged{spec}, now);
        // Of one that runs this changes nothing.
        if (!is_live(instance.state())) instance.set_spec(spec, std::move(name));
        return;
    }
    instance.set_spec(spec, std::move(name));
    if (change.takes != Takes::ByRestart) return;
    to_restart_.push_back(
        {job_of(instance), &instance, "restarted with its new settings: " + listed(change.keys.at_start)});
}

Result<InstanceId> Supervisor::run_transient(JobSpec spec, std::string cause, TimePoint now, InstanceId parent) {
    if (jobs_.contains(spec.name)) return Error{"cannot run '" + spec.name + "': a job has that name"};
    Job& job = add_job(std::make_shared<const JobSpec>(std::move(spec)), now);
    job.transient = true;
    const auto id = job.instances.front()->id();
    if (parent != 0) bonds_.bind(id, parent);
    start(id, std::move(cause), now);
    return id;
}

void Supervisor::forget_ended() {
    if (ending_jobs_.empty()) return;
    for (const auto& name : std::exchange(ending_jobs_, {})) {
        const auto found = jobs_.find(name);
        if (found == jobs_.end()) continue;
        Job& job = found->second;
        std::erase_if(job.leaving_instances, [&](const auto& instance) {
            if (!is_settled(instance->state())) return false;
            erase_instance(*instance);
            return true;
        });
        const bool whole = job.transient || job.leaving;
        if (!forget_connections(job)) continue;
        if (whole && job.leaving_instances.empty() &&
            std::all_of(job.instances.begin(), job.instances.end(),
                        [](const auto& i) { return is_settled(i->state()); })) {
            for (const auto& instance : job.instances) erase_instance(*instance);
            unlink_job(job);
            jobs_.erase(found);
            backend_.forget_job(name);
        }
        // What still lives brings its job back here when it has ended, see note_transition().
    }
}

/// Whether none are left that must go.
bool Supervisor::forget_connections(Job& job) {
    if (!job.connections || (!job.leaving && job.spec->accepts())) return true;
    for (const auto& place : job.connections->places) {
        if (!is_settled(place->state())) return false;
    }
    for (const auto& place : job.connections->places) erase_instance(*place);
    job.connections.reset();
    return true;
}

void Supervisor::erase_instance(const Instance& instance) {
    const auto& first = instance.first_start();
    if (configured_ && first.wanted == booted_ && first.ready != TimePoint()) {
        const auto& name = instance.name();
        const bool oneshot = instance.spec().type == JobType::Oneshot;
        former_starts_.emplace(instance.id(), FormerStart{name.instance, name.job, oneshot, first});
    }
    --by_state_[static_cast<std::size_t>(instance.state())];
    bonds_.forget(instance.id());
    by_id_.erase(instance.id());
    backend_.forget(instance.id());
}

}  // namespace procsup
