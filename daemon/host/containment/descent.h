#pragma once

#include <sys/types.h>

namespace procsup {

/// Whether the process that has the number `pid`, and holds it as long as the caller has a pidfd of it and has not seen it
/// end, is below `ancestor`, a child of the daemon's that is not collected. Known exactly: each step upwards is from a process
/// that is held to the one that was seen, while it was held, to be its parent. No other way to it is looked for when it is not
/// found to be.
bool descends_from(pid_t pid, pid_t ancestor);

}  // namespace procsup
