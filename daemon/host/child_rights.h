#pragma once

#include "common/capability.h"
#include "daemon/host/child_step.h"

/// What a child may do, set between clone and exec: nothing is called but the kernel.
namespace procsup {

/// Laid out before the clone.
struct ChildRights {
    bool limits_capabilities;
    CapabilitySet capabilities;  ///< all that are left; of limits_capabilities
    CapabilitySet ambient;       ///< of a child that is not root; 0: none are given
    bool inherits_capabilities;  ///< the daemon has some that exec would hand on: they are not for its children
    bool no_new_privileges;
};

/// Whether the calling process has what ChildRights::inherits_capabilities says.
bool have_inheritable_capabilities();

/// Takes what is not in `capabilities` from the bounding set, as long as the child may, and sees to it that a change of ids
/// leaves those that are given.
Step limit_capabilities(const ChildRights& rights);

/// Behind the change of ids: takes and gives the other capabilities, and gives up new privileges; then reads all of it back.
Step settle_rights(const ChildRights& rights);

}  // namespace procsup
