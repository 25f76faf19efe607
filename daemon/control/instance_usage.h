#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "daemon/control/context.h"

namespace procsup {

/// What instances use that have processes, as far as it is known.
using Usages = std::unordered_map<InstanceId, TreeUsage>;

/// Of more instances than people look at, an answer that has other things to tell as well does not wait for what they use.
inline constexpr std::size_t kMostMeasured = 100;

/// Calls `then` with what these instances use, at once or in a later turn, when some of them may be gone. Whoever has no operate
/// access gets what is known at once, as a pass over all processes is work.
void with_usages(const ControlContext& context, const varlink::PendingCall& call, const std::vector<InstanceId>& ids,
                 std::function<void(const Usages&)> then);

}  // namespace procsup
