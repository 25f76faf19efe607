#pragma once

#include <cstdint>
#include <string>

#include "daemon/control/context.h"

/// The runs of jobs: those that are over as records, which outlive the daemon, and those that go on.
namespace procsup {

/// Of type Run in io.procsupd.Job, without a newline; of a transition that has `past`. `daemon` and the transition's number together
/// belong to no other record.
std::string past_run_record(const Transition& transition, std::int64_t daemon, const HostPort& host);

/// io.procsupd.Job.History
void history(const ControlContext& context, varlink::PendingCall call);

}  // namespace procsup
