#pragma once

#include <vector>

#include "common/json.h"
#include "daemon/control/context.h"

namespace procsup {

/// Answers io.procsupd.Job.Graph: what jobs depend on, and how they came up.
void graph(const ControlContext& context, varlink::PendingCall call);

/// The member `dependencies` of Manager.Status: of the jobs of these instances what they depend on, and what depends on them, as
/// far as `peer` may know that.
void write_dependencies(json::Writer& writer, const ControlContext& context, const varlink::Peer& peer,
                        const std::vector<InstanceId>& ids);

}  // namespace procsup
