#pragma once

#include <string>
#include <vector>

#include "common/fd.h"

namespace procsup {

/// Answers every client that waits on `listener` (non-blocking) with BadConfiguration and hangs up, so that none waits
/// for a daemon that does not come, and a service manager that holds the socket does not start the daemon again for it.
/// `problems` are told to root and the daemon's own user: who else may know them, the configuration did not say.
void refuse_clients(const Fd& listener, const std::vector<std::string>& problems);

}  // namespace procsup
