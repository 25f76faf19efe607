#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/job_spec.h"

namespace procsup {

/// The jobs of a configuration; texts that stay in use are shared from one to the next.
using Configured = std::vector<std::shared_ptr<const JobSpec>>;

/// When what runs and cannot take on its new text is restarted.
enum class Restarts { Now, Later };

/// What a configuration does to one job.
struct JobChange {
    /// Add: it is not enabled. Live: nothing is restarted. Later: the new text is for the next start.
    enum class Kind { Start, Add, Stop, Restart, Live, Later };
    std::string job;
    Kind kind = Kind::Live;
    std::vector<std::string> keys{};                ///< in which its texts differ; those that count at a start first
    std::vector<std::string> started{}, stopped{};  ///< instances that it has from now on, or no longer
    std::vector<std::string> with{};                ///< jobs that run and end with it, because they depend on it
    std::vector<std::string> pulled{};              ///< jobs that are not up and are started for it
    std::vector<std::string> withdrawn{};           ///< keys that waited for its next start, and are again as it runs
};

/// What a configuration does, or would do; by the names of jobs.
struct ConfigurationChange {
    std::vector<JobChange> jobs{};
    std::size_t unchanged = 0;

    bool empty() const { return jobs.empty(); }
    std::vector<std::string> added() const;
    std::vector<std::string> changed() const;
    std::vector<std::string> removed() const;
};

/// "start", "add", "stop", "restart", "live", "later".
std::string_view word_of(JobChange::Kind kind);

}  // namespace procsup
