#include "daemon/engine/run_result.h"

namespace procsup {

std::string_view to_text(RunResult result) {
    switch (result) {
        case RunResult::Success: return "success";
        case RunResult::ExitCode: return "exit-code";
        case RunResult::Signal: return "signal";
        case RunResult::CoreDump: return "core-dump";
        case RunResult::Timeout: return "timeout";
        case RunResult::Watchdog: return "watchdog";
        case RunResult::OomKill: return "oom-kill";
        case RunResult::StartFailed: return "start-failed";
    }
    return {};
}

}  // namespace procsup
