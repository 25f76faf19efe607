#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ctl/session.h"

namespace procsup::ctl {

/// The coordination that belongs to a supervisor: another program, with a socket for each interface beside the supervisor's.
class Broker {
public:
    /// Makes the session's calls go to `interface` from now on.
    Broker(Session& session, std::string_view interface);

    /// "web@1 (pid 4711)", or what the process is otherwise known by: asks the supervisor, once for each.
    std::string process_text(std::int64_t pid);

private:
    std::string name_of(std::int64_t pid);

    std::string supervisor_;
    std::optional<varlink::Client> client_;
    bool asked_ = false;
    std::map<std::int64_t, std::string> names_;
};

}  // namespace procsup::ctl
