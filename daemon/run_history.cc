#include "daemon/run_history.h"

#include <chrono>
#include <iterator>

#include "daemon/control/past_runs.h"

namespace procsup {

RunHistory::RunHistory(RecordStore& store, const Supervisor& supervisor, const HostPort& host)
    : store_(store),
      supervisor_(supervisor),
      host_(host),
      daemon_(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
                  .count()) {}

void RunHistory::note(const Transition& transition) {
    if (transition.past == nullptr) return;
    const auto job = supervisor_.jobs().find(transition.job);
    if (job == supervisor_.jobs().end() || job->second.transient) return;
    store_.add(std::string(transition.job), past_run_record(transition, daemon_, host_));
}

PastRuns RunHistory::past_runs(const std::vector<std::string>& jobs) {
    PastRuns past;
    for (const auto& job : jobs) {
        auto records = store_.pending_of(job);
        past.records.insert(past.records.end(), std::make_move_iterator(records.begin()),
                            std::make_move_iterator(records.end()));
    }
    past.directory = store_.dir();
    past.problem = store_.problem();
    if (jobs.empty()) return past;
    auto reading = store_.open(jobs);
    if (reading) {
        past.files = std::move(reading->connection);
    } else if (past.problem.empty()) {
        past.problem = reading.error().message;
    }
    return past;
}

std::vector<std::string> jobs_with_history(const Supervisor& supervisor) {
    std::vector<std::string> names;
    for (const auto& [name, job] : supervisor.jobs()) {
        if (!job.transient) names.push_back(name);
    }
    return names;
}

}  // namespace procsup
