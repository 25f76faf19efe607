#include "daemon/remembered_stops.h"

#include <fmt/format.h>

#include <utility>

namespace procsup {

void RememberedStops::note(const Instance& instance, const Transition& transition) {
    if (instance.spec().restart.when != Restart::UnlessStopped) return;
    const auto& job = instance.spec().name;
    const bool stopped = transition.to == State::Stopped && !instance.wanted();
    if (stopped ? stopped_.insert(job).second : transition.to == State::Starting && stopped_.erase(job) > 0) save(job);
}

void RememberedStops::save(const std::string& job) {
    // One helper a job at a time: two could finish in the wrong order.
    if (!saving_.insert(job).second) return;
    const bool stopped = stopped_.contains(job);
    JobSpec helper;
    helper.name = "procsupd --remember-stop";
    helper.command = {"procsupd", "--remember-stop", state_dir_, job, stopped ? "stopped" : "started"};
    helper.program = "/proc/self/exe";
    helper.working_dir = "/";
    processes_.run_helper(std::move(helper), {}, [this, job, stopped](Result<ExitStatus> ended) {
        saving_.erase(job);
        if (!ended || !ended->success()) {
            log_.error(fmt::format("cannot remember in {} that {} was stopped or started: {}", state_dir_, job,
                                   ended ? to_text(*ended) : ended.error().message));
        }
        if (stopped_.contains(job) != stopped) save(job);
    });
}

}  // namespace procsup
