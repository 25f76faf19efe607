#pragma once

#include <cstddef>
#include <string_view>

namespace procsup {

/// In which way a run has ended, in the words of systemd.exec(5) for $SERVICE_RESULT, with which jobs and metrics name it.
enum class RunResult { Success, ExitCode, Signal, CoreDump, Timeout, Watchdog, OomKill, StartFailed };

inline constexpr std::size_t kRunResults = 8;

/// "success", "exit-code", "signal", "core-dump", "timeout", "watchdog", "oom-kill", "start-failed".
std::string_view to_text(RunResult result);

}  // namespace procsup
