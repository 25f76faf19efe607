#pragma once

#include <string>
#include <vector>

#include "conf/job_spec.h"

namespace procsup {

/// In which keys two texts of a job differ, as in files ("log.stdout"; of variables "env.PORT"); never their values.
struct JobDifference {
    std::vector<std::string> at_start;  ///< those that count only for a run that begins with them
    std::vector<std::string> live;      ///< those that a run can take on while it goes on

    bool empty() const { return at_start.empty() && live.empty(); }
    bool needs_restart() const { return !at_start.empty(); }
};

/// What a run of the text `before` would have to do for the text `now`. Where a text is written, and how far the job got by
/// hand, is no difference; what names and files stand for is one of the keys that name them.
JobDifference difference(const JobSpec& before, const JobSpec& now);

}  // namespace procsup
