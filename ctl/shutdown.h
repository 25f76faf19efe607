#pragma once

namespace procsup::ctl {

class Session;

/// Manager.Shutdown, then, unless --no-wait, waits until the supervisor has ended: its connection closes and its
/// process is gone. Reports what happened and returns the exit code.
int shut_down_and_wait(Session& session);

}  // namespace procsup::ctl
