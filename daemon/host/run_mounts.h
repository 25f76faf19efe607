#pragma once

#include <sys/types.h>

#include "common/fd.h"

namespace procsup {

/// The mount namespace of process `pid`, which is a child of `parent`; none where it has ended, or where it has gone into one
/// that it could make without privileges: what a program finds in that could make it do anything in its user's name, and
/// set-user-ID programs anything in root's. Blocks on nothing.
Fd mounts_of(pid_t pid, pid_t parent);

}  // namespace procsup
