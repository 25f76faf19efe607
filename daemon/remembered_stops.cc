#include "daemon/remembered_stops.h"

namespace procsup {

void RememberedStops::note(const Instance& instance, const Transition& transition) {
    // That there are fewer instances is no stop of the job.
    if (instance.spec().restart.when != Restart::UnlessStopped || instance.left()) return;
    const auto& job = instance.spec().name;
    if (transition.to == State::Stopped && !instance.wanted()) {
        if (stopped_.insert(job).second) store_.put("stopped/" + job, "");
    } else if (transition.to == State::Starting && stopped_.erase(job) > 0) {
        store_.remove("stopped/" + job);
    }
}

}  // namespace procsup
