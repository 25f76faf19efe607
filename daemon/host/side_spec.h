#pragma once

#include "daemon/engine/ports.h"

namespace procsup {

/// What is launched for a command beside a run: all that its job says, but with the command's program, nothing to read, and
/// $PROCSUPD_MAIN_PID where the run still has a main process.
JobSpec side_spec(const SideOrder& order);

}  // namespace procsup
