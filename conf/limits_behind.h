#pragma once

#include <string>
#include <vector>

#include "common/exit_status.h"
#include "conf/job_spec.h"

/// Which of a job's resource limits an end may come from (setrlimit(2)): nothing tells it, but without the limit it would not
/// have been that end.
namespace procsup {

/// "limits.stack = \"8KiB\"", as a file has it, for each that may be why the kernel or the program ended a run so.
std::vector<std::string> limits_behind_end(const JobSpec& spec, ExitStatus status);

/// The same of a start that has failed with this errno.
std::vector<std::string> limits_behind_error(const JobSpec& spec, int os_error);

}  // namespace procsup
