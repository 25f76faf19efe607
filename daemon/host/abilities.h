#pragma once

#include "conf/enforcement.h"

namespace procsup {

/// What the kernel lets this process do for its jobs, found out by trying: capabilities alone do not say it, as in a user
/// namespace. What is tried is undone at once. Blocks on nothing; while there is one thread and no child.
Abilities gather_abilities();

/// The same, and the controllers that a procsupd could enable that is started here.
Abilities abilities_here();

}  // namespace procsup
