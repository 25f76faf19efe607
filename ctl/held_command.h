#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "common/result.h"

namespace procsup::ctl {

/// Runs `acquire` in a process of its own, by which something is held, and executes the command there when it has returned 0; otherwise the
/// process ends with what it has returned. If procsupctl is killed before the command runs the process is too; afterwards it
/// goes on alone. What is to end or interrupt procsupctl goes to that process. `ended` is called when that has ended and is a zombie yet: so
/// others can see how it has ended. The exit code of the process, or 128+N.
Result<int> run_holding(std::span<const std::string_view> command, const std::function<int()>& acquire,
                        const std::function<void()>& ended);

}  // namespace procsup::ctl
