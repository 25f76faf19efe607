#include "ctl/ended_run.h"

#include <algorithm>

#include "common/exit_status.h"
#include "ctl/text.h"

namespace procsup::ctl {

static std::string how_of(const json::Value& run) {
    if (const auto signal = run.string_or("exitSignal", ""); !signal.empty()) return "killed by " + escaped(signal);
    const auto* code = run.find("exitCode");
    if (code == nullptr || code->as_int() == nullptr) return {};
    return to_text(ExitStatus::exited(static_cast<int>(*code->as_int())));
}

std::optional<EndedRun> EndedRun::of(const json::Value& parent, std::string_view name) {
    const auto* run = parent.find(name);
    if (run == nullptr || run->as_object() == nullptr) return std::nullopt;
    const auto ended = run->int_or("endedUSec", 0);
    return EndedRun{run->int_or("pid", 0),
                    run->int_or("startedUSec", ended),
                    ended,
                    Duration(run->int_or("cpuUSec", 0)),
                    run->int_or("orphans", 0),
                    Duration(run->int_or("orphansCpuUSec", 0)),
                    run->int_or("formerMains", 0),
                    Duration(run->int_or("formerMainsCpuUSec", 0)),
                    how_of(*run)};
}

std::string span_text(Duration span) {
    return span < std::chrono::seconds(1) ? to_text(std::max(span, Duration::zero())) : run_time_text(span);
}

std::string cpu_text(const EndedRun& run) {
    std::string text = span_text(run.cpu) + " of CPU";
    if (run.former_mains > 0) {
        text += run.former_mains == 1 ? ", and its first process, "
                                      : ", and " + std::to_string(run.former_mains) + " main processes before it, ";
        text += span_text(run.former_mains_cpu) + " of CPU";
    }
    if (run.orphans == 0) return text;
    text += ", and " + std::to_string(run.orphans) + (run.orphans == 1 ? " orphan, " : " orphans, ");
    return text + span_text(run.orphans_cpu) + " of CPU";
}

std::string took_text(const EndedRun& run) { return "pid " + std::to_string(run.pid) + ", " + cpu_text(run); }

}  // namespace procsup::ctl
