#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conf/job_draft.h"
#include "conf/problems.h"
#include "conf/sockets.h"

namespace procsup {

/// Finds addresses that two sockets of a configuration want, of the same job or of two; of two instances of one job it is the same
/// socket.
class SocketConflicts {
public:
    void add(const JobDraft& draft, const JobSpec& spec, Problems& problems);

private:
    struct Use {
        std::string job;
        std::string socket;
        Place place;
    };
    /// Of one family: an address, or all of them, which excludes any other.
    struct Family {
        std::optional<Use> all;
        std::map<std::string, Use, std::less<>> by_host;
    };
    /// Who has it already, or nullptr, and then it is noted.
    const Use* note(const ListenAddress& address, const Use& use);
    static const Use* note(Family& family, const std::string& host, bool all, const Use& use);

    std::map<std::pair<ListenAddress::Kind, std::uint16_t>, std::pair<Family, Family>> ports_;  ///< IPv4, IPv6
    std::map<std::string, Use, std::less<>> others_;
    std::size_t count_ = 0;
};

}  // namespace procsup
