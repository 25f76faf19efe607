#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/host/helper_queue.h"

namespace procsup {

/// Answers which processes belong to which instance, and what they use, by helpers (process_table.h).
class TreeLister {
public:
    TreeLister(SdEventLoop& loop, Processes& processes)
        : lists_(loop, processes, "--list-processes"),
          sums_(loop, processes, "--list-processes"),
          processes_(processes) {}

    /// Gets the text that list_processes() returns.
    using Listed = HelperQueue::Answered;
    /// The trees of these instances; `all`: they are all, so what is in none of them is nobody's.
    void list(const std::vector<const Instance*>& instances, bool all, Listed listed);

    /// What each of these instances uses that has processes: from its cgroup, or else summed up by a helper within `patience`;
    /// none: what is known at once. In their order; instances may have gone until then. The Error says why it is not all.
    using Measured = std::function<void(std::vector<InstanceUsage>, Result<void>)>;
    void measure(const std::vector<const Instance*>& instances, Duration patience, Measured measured);

private:
    std::string question(const std::vector<const Instance*>& instances, bool all, bool sums) const;

    HelperQueue lists_;
    HelperQueue sums_;  ///< of their own, as lists may hang: command lines are in the memory of processes
    Processes& processes_;
};

}  // namespace procsup
