#pragma once

#include <string>

#include "daemon/engine/ports.h"

namespace procsup {

/// How an instance came up for the first time since the supervisor has it, whatever was tried until then. A time that is zero is not
/// known, or not there yet.
struct FirstStart {
    TimePoint wanted;
    TimePoint began;            ///< nothing was waited for any more
    TimePoint ready;            ///< a one-shot: has ended well
    TimePoint failed;           ///< came to an end before that, for the first time
    InstanceId waited_for = 0;  ///< whose change was the last that it waited for; 0: it did not wait
    bool over = false;          ///< ready, or somebody has stopped it before
};

/// That of an instance which is no more.
struct FormerStart {
    std::string instance, job;
    bool oneshot = false;
    FirstStart start;
};

}  // namespace procsup
