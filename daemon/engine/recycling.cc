// The supervisor's rules for max_lifetime and health: of several instances of a job one is replaced at a time.
#include <algorithm>

#include "daemon/engine/supervisor.h"

namespace procsup {

TimePoint Supervisor::before_recycle(const Instance& instance, TimePoint now) const {
    const auto* job = job_of(instance);
    if (job == nullptr) return now;
    if (shutting_down_ || rolls_.contains(instance.name().job)) return kNever;
    // The next run would have to wait for that, or fail.
    if (!std::all_of(job->links.begin(), job->links.end(), [](const Link& link) { return look_at(link).met; })) {
        return kNever;
    }
    auto when = instance.proven_at();
    for (const auto& other : job->instances) {
        // Nothing will happen to one that is stopped or has failed: it does not count, or it would be waited for for ever.
        if (!is_settled(other->state())) when = std::max(when, other->proven_at());
    }
    return when;
}

void Supervisor::settle_recycling(const Instance& changed, TimePoint now) {
    const auto* job = job_of(changed);
    if (job == nullptr) return;
    if (changed.spec().max_lifetime != kForever) recycle_one_of(*job, now);
}

const Instance* Supervisor::mended_beside(const Instance& instance) const {
    const auto* job = job_of(instance);
    if (job == nullptr) return nullptr;
    const auto found = std::find_if(job->instances.begin(), job->instances.end(),
                                    [&](const auto& other) { return other.get() != &instance && other->is_mended(); });
    return found == job->instances.end() ? nullptr : found->get();
}

/// The first of those that are unhealthy, once the one before is ready again, or has failed.
void Supervisor::settle_mending(const Instance& changed, TimePoint now) {
    const auto* job = job_of(changed);
    if (job == nullptr || !changed.spec().health.is_declared()) return;
    for (const auto& instance : job->instances) {
        if (instance->waits_to_be_mended()) deliver(*instance, MayBeMended{}, now);
    }
}

/// The first for which it is time; the others then have to wait for it.
void Supervisor::recycle_one_of(const Job& job, TimePoint now) {
    for (const auto& instance : job.instances) {
        if (instance->recycle_due()) deliver(*instance, MayRecycle{}, now);
    }
}

}  // namespace procsup
