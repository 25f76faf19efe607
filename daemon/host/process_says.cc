// What runs say of themselves.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/host/processes.h"

namespace procsup {

Result<void> Processes::open_ready_channel(LaunchOrder& order) {
    const auto kind = order.spec->readiness.kind;
    if (kind == Readiness::Kind::Fd) {
        auto pipe = ready_channels_.open_pipe(order.incarnation);
        if (!pipe) return pipe.error();
        order.ready_pipe = std::move(*pipe);
    } else if (kind == Readiness::Kind::Notify || order.spec->has_watchdog()) {
        auto path = ready_channels_.open_socket(order.incarnation, *order.spec);
        if (!path) return path.error();
        order.notify_socket = std::move(*path);
    }
    return {};
}

void Processes::said_ready(Incarnation incarnation) { note(incarnation, NoteReady{}); }

void Processes::hindered(Incarnation incarnation, std::string how, std::string said) {
    note(incarnation, NoteHindered{std::move(how), std::move(said)});
}

void Processes::looked_at_health(Incarnation incarnation, HealthVerdict verdict, std::string how, std::string said) {
    note(incarnation, NoteHealth{verdict, std::move(how), std::move(said)});
}

/// Nobody can speak for a job but its own processes, whoever may write to the socket. Of one that has ended meanwhile
/// (`systemd-notify --no-block` does so at once) nothing but its user is known: that of the job could end the job as well.
std::string Processes::why_not_heard(const Run& run, pid_t sender, uid_t uid) const {
    const auto owner = sender == run.main ? Owner{run.id, true} : who_is(sender);
    if (owner && owner->id == run.id) return {};
    const bool has_ended = kill(sender, 0) != 0 && errno == ESRCH;
    if (!has_ended) return "that is none of its processes";
    const uid_t own = run.spec->identity ? run.spec->identity->uid : geteuid();
    if (uid == own || uid == 0) return {};
    return fmt::format("that had ended before it could be looked at, and was of another user ({})", uid);
}

void Processes::said(Incarnation incarnation, pid_t sender, uid_t uid, const Notice& notice) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return;
    Run& run = found->second;
    if (const auto why_not = why_not_heard(run, sender, uid); !why_not.empty()) {
        const auto text = fmt::format("a notification of process {} was not taken: {}", sender, why_not);
        if (tell_refusal(run, text)) hindered(incarnation, "; " + text, {});
        return;
    }
    if (!notice.refused.empty()) tell_refusal(run, notice.refused);
    if (notice.main_pid != 0) {
        const auto why_not = name_main(incarnation, run, notice.main_pid);
        if (!why_not.empty()) tell_refusal(run, fmt::format("MAINPID={} was not taken: {}", notice.main_pid, why_not));
    }
    note(incarnation, notice);
}

bool Processes::tell_refusal(Run& run, const std::string& text) {
    if (std::exchange(run.refusal_told, true)) return false;
    if (on_shortfall_) on_shortfall_(*run.spec, text);
    return true;
}

}  // namespace procsup
