#pragma once

#include "daemon/engine/ports.h"

namespace procsup {

/// How a step of a child before its program came out.
struct Step {
    SpawnStage stage = SpawnStage::None;
    long error = 0;     ///< 0 or a positive errno
    int resource = -1;  ///< as in ChildFailure
    const char* path = nullptr;

    bool failed() const { return error != 0; }
};

/// `result` as a system call returns it: -errno when it failed.
inline Step check(SpawnStage stage, long result) { return result < 0 ? Step{stage, -result} : Step{}; }

}  // namespace procsup
