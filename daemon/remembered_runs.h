#pragma once

#include <map>
#include <string>

#include "daemon/engine/ports.h"
#include "daemon/host/state_store.h"

namespace procsup {

/// Up to when the runs of each schedule are dealt with: a file for each job in the state directory, so that the next daemon knows
/// which were missed. The store must outlive it.
class RememberedRuns {
public:
    explicit RememberedRuns(StateStore& store) : store_(store) {}

    /// As it was found on disk.
    void add(const std::string& job, LastMoment last);
    void note(const ScheduleNews& news);

private:
    StateStore& store_;
    std::map<std::string, std::int64_t, std::less<>> dealt_;
};

}  // namespace procsup
