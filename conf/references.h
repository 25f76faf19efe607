#pragma once

#include <map>
#include <string>
#include <vector>

#include "conf/job_draft.h"

namespace procsup {

/// What jobs say of other jobs; checked when all of them are known.
class References {
public:
    void add(const JobDraft& draft, const JobSpec& spec);
    /// Reports names that no job has, instances that do not fit, and circles.
    void check(Problems& problems) const;

private:
    struct Bond {
        std::string parent;  ///< `daemon_of`
        Place place;
    };
    void check_bond(const std::string& job, const Bond& bond, Problems& problems) const;
    std::string circle_from(const std::string& job) const;

    std::map<std::string, std::vector<std::string>, std::less<>> instances_;  ///< of every job
    std::map<std::string, Bond, std::less<>> bonds_;
};

}  // namespace procsup
