#pragma once

#include <string>
#include <string_view>

#include "common/varlink/server.h"
#include "conf/job_spec.h"
#include "daemon/engine/rolling.h"

namespace procsup {

/// How much a caller may do; each tier may do what those before it may.
enum class Tier { None, Read, Operate, Admin };

/// What each method asks for, by its full name: the one table of it. Admin for a name that is not in it.
Tier needed_for(std::string_view method);

/// Decides from who the kernel says the caller is, never from what the caller says: root and the daemon's own uid are
/// administrators, [access] names the others, and a job's owner operates that job.
class Access {
public:
    Access(const DaemonSpec& spec, uid_t daemon_uid);

    Tier tier_of(const varlink::Peer& peer) const;
    /// `job` is the one concerned, or nullptr for none.
    bool allows(const varlink::Peer& peer, Tier needed, const JobSpec* job = nullptr) const;
    /// What orders of `peer` may touch of jobs that it does not name.
    OnBehalf behalf_of(const varlink::Peer& peer) const;
    /// What a refused caller is told.
    static std::string refusal(const varlink::Peer& peer, Tier needed);

    uid_t daemon_uid() const { return daemon_uid_; }

private:
    uid_t daemon_uid_;
    AccessRule admin_, operate_, read_;
};

}  // namespace procsup
