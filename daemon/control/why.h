#pragma once

#include <string>
#include <vector>

#include "common/json.h"
#include "daemon/control/context.h"

namespace procsup {

/// The name of the first of what an instance waits for, or cannot be started without; empty: it is not that.
std::string waited_for(const Instance& instance);

/// What its present run has written at last explains it: it is being started, is not ready yet, or reads its configuration again, or
/// its reload_command has failed.
bool is_told_by_its_lines(const Instance& instance);

/// Another instance that one waits for.
struct Behind {
    const Instance* instance;
    bool lines;  ///< the caller may read what it writes
};

/// The answer of method Why: the state, its cause, what was before (newest first), and what to do about it. `behind`: what it waits
/// for, what that waits for, and so on. `newest`: what the last of all these has written at last, if it is on its way. `schedule`: as of
/// schedule_text().
void write_why(json::Writer& writer, const Instance& instance, const std::vector<Behind>& behind,
               const std::vector<LastLines>& newest, const std::string& schedule, const HostPort& host, TimePoint now);

/// io.procsupd.Job.Why
void why(const ControlContext& context, varlink::PendingCall call);

}  // namespace procsup
