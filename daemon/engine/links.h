#pragma once

#include <functional>
#include <map>
#include <string>

#include "daemon/engine/job.h"

namespace procsup {

using Jobs = std::map<std::string, Job, std::less<>>;

/// Makes the links and ranks of all jobs from what their specs say. Names that no job has are passed over: of a job that is
/// leaving, others may have left before.
void link_jobs(Jobs& jobs);

/// Takes away all links to and from a job that is no more.
void unlink_job(Job& job);

/// Looks at all instances of a job: to be kept in Job::standing whenever one has changed, or there is another number of them.
Standing standing_of(const Job& job);

/// What the other end of a link is at the moment.
struct LinkState {
    bool met = false;       ///< the job that has the link may be started, as far as this link goes
    bool hopeless = false;  ///< it may not, and nothing is under way that would change that
    bool down = false;      ///< of a link that lasts: no instance is as required
    bool lost = false;      ///< and none is about to be
};
LinkState look_at(const Link& link);

/// Adds what is waited for, or missing: "db to be ready"; "db, which has failed: exit 1".
void add_obstacle(std::string& text, const Link& link, const LinkState& state);

/// Whether a start of the job that has the link should start this instance of the other.
bool should_pull(const Link& link, const Instance& instance);

}  // namespace procsup
