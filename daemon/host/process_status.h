#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace procsup {

/// What /proc/PID/status says of a process (proc(5)); reading it waits for nothing. Sets of signals: bit N - 1 is signal N.
struct ProcessStatus {
    uid_t uid = 0;  ///< the real one
    std::uint64_t blocked = 0;
    std::uint64_t ignored = 0;
    std::uint64_t caught = 0;
};

/// Nothing: there is no such process, or it may not be seen (hidepid=).
std::optional<ProcessStatus> status_of(pid_t pid);

}  // namespace procsup
