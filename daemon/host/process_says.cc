// What runs say of themselves.
#include <fmt/format.h>

#include "daemon/host/processes.h"

namespace procsup {

Result<void> Processes::open_ready_channel(LaunchOrder& order) {
    const auto kind = order.spec->readiness.kind;
    if (kind == Readiness::Kind::Fd) {
        auto pipe = ready_channels_.open_pipe(order.incarnation);
        if (!pipe) return pipe.error();
        order.ready_pipe = std::move(*pipe);
    } else if (kind == Readiness::Kind::Notify) {
        auto path = ready_channels_.open_socket(order.incarnation, *order.spec);
        if (!path) return path.error();
        order.notify_socket = std::move(*path);
    }
    return {};
}

void Processes::said_ready(Incarnation incarnation) { note(incarnation, NoteReady{}); }

/// Nobody can speak for a job but its own processes, whoever may write to the socket.
void Processes::said(Incarnation incarnation, pid_t sender, const Notice& notice) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return;
    Run& run = found->second;
    std::string refused;
    if (sender != run.main) {
        const auto owner = who_is(sender);
        if (!owner || owner->id != run.id) {
            refused = fmt::format("a notification of process {} was not taken: that is none of its processes", sender);
        }
    }
    if (refused.empty() && notice.main_pid != 0 && notice.main_pid != run.main) {
        refused = fmt::format("MAINPID={} was not taken over: its main process is {}", notice.main_pid, run.main);
    } else if (!refused.empty()) {
        if (!std::exchange(run.refusal_told, true) && on_shortfall_) on_shortfall_(*run.spec, refused);
        return;
    }
    if (!refused.empty() && !std::exchange(run.refusal_told, true) && on_shortfall_) on_shortfall_(*run.spec, refused);
    note(incarnation, notice);
}

}  // namespace procsup
