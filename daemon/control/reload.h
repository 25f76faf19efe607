#pragma once

#include "daemon/control/context.h"
#include "daemon/control/waiters.h"

namespace procsup {

/// Has instances read their configuration again, by reload_command or by reload_signal. No instance gets a signal that would
/// end its main process. Answers when each reload_command that is run for it has ended.
void reload(const ControlContext& context, Waiters& waiters, varlink::PendingCall call);

}  // namespace procsup
