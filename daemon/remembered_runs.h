#pragma once

#include <map>
#include <string>

#include "daemon/engine/ports.h"
#include "daemon/host/state_store.h"

namespace procsup {

/// Up to when the runs of each schedule are dealt with, and how the last one has ended: a file for each job in the state directory,
/// so that the next daemon knows which were missed. The store must outlive it.
class RememberedRuns {
public:
    explicit RememberedRuns(StateStore& store) : store_(store) {}

    /// As it was found on disk.
    void add(const std::string& job, const ScheduleMemory& memory);
    void note(const ScheduleNews& news);
    /// A run of a job is over, which began and ended at these times.
    void ended(const std::string& job, const PastRun& run, WallTime began, WallTime ended);

private:
    void put(const std::string& job, const ScheduleMemory& memory);

    StateStore& store_;
    std::map<std::string, ScheduleMemory, std::less<>> known_;  ///< of those whose schedule is in force
};

}  // namespace procsup
