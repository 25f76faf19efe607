#pragma once

#include <set>
#include <string>

#include "daemon/engine/supervisor.h"
#include "daemon/host/own_log.h"
#include "daemon/host/processes.h"

namespace procsup {

/// The jobs with restart = "unless-stopped" that were stopped by order: on disk in the state directory, so that the next
/// daemon does not start them. Helper processes write there, because the disk may hang. The parts must outlive it.
class RememberedStops {
public:
    RememberedStops(Processes& processes, OwnLog& log, std::string state_dir)
        : processes_(processes), log_(log), state_dir_(std::move(state_dir)) {}

    /// As it was found on disk.
    void add(const std::string& job) { stopped_.insert(job); }
    /// The instance has changed its state, though not because everything ends.
    void note(const Instance& instance, const Transition& transition);
    /// Whether changes are still on their way to the disk.
    bool saving() const { return !saving_.empty(); }
    const std::string& place() const { return state_dir_; }

private:
    void save(const std::string& job);

    Processes& processes_;
    OwnLog& log_;
    std::string state_dir_;
    std::set<std::string, std::less<>> stopped_;
    std::set<std::string, std::less<>> saving_;
};

}  // namespace procsup
