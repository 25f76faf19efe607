#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/control/host_port.h"
#include "daemon/engine/supervisor.h"
#include "daemon/host/record_store.h"

namespace procsup {

/// The runs of every job, as far back as its files go: each run that is over, and each start that failed, is a record. Runs of
/// transient jobs are not kept, as nobody could ask for them. What it is given must outlive it.
class RunHistory {
public:
    RunHistory(RecordStore& store, const Supervisor& supervisor, const HostPort& host);

    void note(const Transition& transition);
    /// What is not in the files of these jobs, and a connection over which they are offered.
    PastRuns past_runs(const std::vector<std::string>& jobs);

private:
    RecordStore& store_;
    const Supervisor& supervisor_;
    const HostPort& host_;
    std::int64_t daemon_;  ///< tells records of this procsupd from those of others
};

/// The jobs whose history is kept.
std::vector<std::string> jobs_with_history(const Supervisor& supervisor);

}  // namespace procsup
