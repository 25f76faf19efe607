#pragma once

#include <functional>
#include <string_view>

#include "ctl/session.h"

namespace procsup::ctl {

/// Something of the broker that is held while a command runs.
struct Acquisition {
    std::string_view interface;  ///< of which Acquire is called
    std::function<void(json::Writer& writer)>
        request;  ///< what is asked for besides the name, whom it is for and for how long
};

/// Acquires the first operand for the command behind `--`, which then runs and has it until it ends, or for the process of --pid. The
/// exit code: the command's, or 124 where it was not to be had in time.
int acquire_for_command_or_process(Session& session, const Acquisition& what);

}  // namespace procsup::ctl
