#include "daemon/probe/probe.h"

#include <fcntl.h>

#include "common/raw_syscall.h"
#include "daemon/keeper/clock.h"
#include "daemon/probe/network_target.h"
#include "daemon/probe/watch.h"

namespace procsup::probe {
namespace {

constexpr int kQuickOnes = 4;
constexpr std::int64_t kShortestPause = 10 * keeper::kMillisecond;

}  // namespace

/// From the beginning of one attempt to that of the next.
std::int64_t Probe::pause() const {
    const std::int64_t interval = line_.interval * keeper::kMillisecond;
    const std::int64_t quick = kShortestPause << failures_;
    const bool is_quick = line_.what != CommandLine::What::Exec && failures_ < kQuickOnes && quick < interval;
    return is_quick ? quick : interval;
}

void Probe::report(const Line& reason) {
    if (line_.report_fd < 0 || reason.is(told_)) return;
    Line copy = reason;
    // Who could not take it now is told again.
    if (copy.tell(line_.report_fd)) told_ = reason;
}

void Probe::say_last_words(Attempt& attempt) {
    Line& reason = attempt.cut_short && !reason_.is_empty() ? reason_ : attempt.reason;
    report(reason);
    reason.say();
}

int Probe::run() {
    const bool has_children = line_.what == CommandLine::What::Exec;
    const long opened = sleeper_.open(has_children);
    if (opened < 0) {
        Line().operator<<("procsup-probe: cannot watch for signals").cause(-opened).say();
        return kExitFailed;
    }
    if (line_.report_fd >= 0) {
        const long set = raw_syscall(SYS_fcntl, line_.report_fd, F_SETFD, FD_CLOEXEC);
        if (set < 0) {
            (Line() << "procsup-probe: cannot report to descriptor " << line_.report_fd).cause(-set).say();
            return kExitUsage;
        }
    }
    if (line_.what == CommandLine::What::Exec) command_.prepare(line_.command, mask_, envp_);
    switch (line_.mode) {
        case CommandLine::Mode::Once: return look_once();
        case CommandLine::Mode::Watch: return watch();
        case CommandLine::Mode::UntilReady: return run_attempts();
    }
    return kExitFailed;
}

Verdict Probe::look(Attempt& attempt) {
    if (line_.what == CommandLine::What::Exec) return command_.attempt(attempt);
    return line_.what == CommandLine::What::File ? try_file(line_, attempt) : try_network(line_, attempt);
}

int Probe::look_once() {
    const std::int64_t begun = keeper::monotonic_now();
    Attempt attempt{sleeper_, begun, begun + line_.timeout * keeper::kMillisecond, line_.timeout};
    const bool good = look(attempt) == Verdict::Ready;
    HealthReport(line_.report_fd).say(good ? HealthVerdict::Healthy : HealthVerdict::Unhealthy, attempt.reason);
    if (!good && line_.report_fd < 0) attempt.reason.say();
    return good ? kExitReady : kExitFailed;
}

int Probe::watch() {
    VerdictWindow window(line_.failures, line_.of, line_.successes);
    HealthReport report(line_.report_fd);
    const std::int64_t started = keeper::monotonic_now();
    const auto seed = static_cast<std::uint64_t>(raw_syscall(SYS_getpid));
    Pace pace(line_.interval, started, seed);
    for (;;) {
        const std::int64_t begun = keeper::monotonic_now();
        Attempt attempt{sleeper_, begun, begun + line_.timeout * keeper::kMillisecond, line_.timeout};
        const bool good = look(attempt) == Verdict::Ready;
        if (sleeper_.told_to_end()) return kExitFailed;
        const bool counts = begun - started >= line_.grace * keeper::kMillisecond;
        if (good) attempt.reason.clear();
        report.say(window.add(good, counts), attempt.reason);
        const std::int64_t next = pace.next(begun, keeper::monotonic_now());
        while (sleeper_.sleep(next) == Sleeper::Woke::Child) {
        }
        if (sleeper_.told_to_end()) return kExitFailed;
    }
}

int Probe::run_attempts() {
    for (;;) {
        const std::int64_t begun = keeper::monotonic_now();
        Attempt attempt{sleeper_, begun, begun + line_.timeout * keeper::kMillisecond, line_.timeout};
        const Verdict verdict = look(attempt);
        if (verdict == Verdict::Ready) return kExitReady;
        if (verdict == Verdict::Never || sleeper_.told_to_end()) {
            say_last_words(attempt);
            return verdict == Verdict::Never ? attempt.exit_code : kExitFailed;
        }
        reason_ = attempt.reason;
        report(reason_);
        const std::int64_t next = begun + pause();
        if (failures_ < kQuickOnes) ++failures_;
        // The end of a child that could not be killed in time is for the next attempt.
        while (sleeper_.sleep(next) == Sleeper::Woke::Child) {
        }
        if (sleeper_.told_to_end()) {
            say_last_words(attempt);
            return kExitFailed;
        }
    }
}

}  // namespace procsup::probe
