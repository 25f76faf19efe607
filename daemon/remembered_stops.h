#pragma once

#include <set>
#include <string>

#include "daemon/engine/supervisor.h"
#include "daemon/host/state_store.h"

namespace procsup {

/// The jobs with restart = "unless-stopped" that were stopped by order: a file for each in the state directory, so that the
/// next daemon does not start them. The store must outlive it.
class RememberedStops {
public:
    explicit RememberedStops(StateStore& store) : store_(store) {}

    /// As it was found on disk.
    void add(const std::string& job) { stopped_.insert(job); }
    /// The instance has changed its state, though not because everything ends.
    void note(const Instance& instance, const Transition& transition);

private:
    StateStore& store_;
    std::set<std::string, std::less<>> stopped_;
};

}  // namespace procsup
