#pragma once

#include <string>
#include <vector>

#include "daemon/engine/job.h"
#include "daemon/engine/restart_policy.h"

namespace procsup {

/// Jobs that are in a group, in the order in which they are listed; their settings stand in each one's JobSpec::membership.
struct Group {
    std::vector<Job*> members;  ///< at least one
    StartHistory restarts;      ///< by the policies of its members

    const Membership& settings() const { return members.front()->spec->membership; }
};

/// The run of a member has ended and is followed by another one by its policy, or by none `for_good`.
struct MemberFailure {
    InstanceId id = 0;
    std::string cause;
    bool for_good = false;
};

}  // namespace procsup
