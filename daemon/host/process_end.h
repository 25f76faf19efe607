#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>

#include "common/event_loop.h"
#include "common/result.h"

namespace procsup {

/// Calls `ended` once when a process that need not be a child has ended, unless the Watch goes first. Only a process of the
/// real uid `uid`, where that is given. The Error says that there is none, or whose it is.
Result<std::unique_ptr<Watch>> watch_process(EventLoop& loop, pid_t pid, std::optional<uid_t> uid,
                                             std::function<void()> ended);

}  // namespace procsup
