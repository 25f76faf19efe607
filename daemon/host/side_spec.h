#pragma once

#include "daemon/engine/ports.h"

namespace procsup {

/// What is launched for a command beside a run: all that its job says, but with the command's program, nothing to read, and
/// $PROCSUPD_MAIN_PID where the run still has a main process. `probe_program` is where procsup-probe is.
JobSpec side_spec(const SideOrder& order, const std::string& probe_program);

}  // namespace procsup
