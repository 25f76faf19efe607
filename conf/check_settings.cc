#include <signal.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>
#include <string>

#include "common/signal_name.h"
#include "common/units.h"
#include "conf/job_resolver.h"
#include "conf/job_text.h"
#include "conf/resource_limits.h"
#include "conf/tree_limits.h"

namespace procsup {
namespace {

/// Compares the settings of one job with each other. A setting is complained of only where it is written in the job
/// itself: what stands in [defaults] need not have an effect on every job, nor what an overlay has made useless.
class SettingsCheck {
public:
    SettingsCheck(const JobDraft& draft, Problems& problems, std::bitset<kKeyCount>& useless)
        : draft_(draft), spec_(draft.spec), policy_(draft.spec.restart), problems_(problems), useless_(useless) {}

    void run() {
        check_type();
        check_never_restarted();
        check_delays();
        check_start_limit();
        check_exit_sets();
        check_ends();
        check_max_lifetime();
        check_signals();
        check_stop_command();
        check_hooks();
        check_readiness();
        check_bond();
        check_watchdog();
        check_zombies();
        check_limits();
        check_privileges();
        check_sandbox();
        check_output();
        check_log();
    }

private:
    void report(Key key, std::string message) { problems_.add(draft_.mark(key).place, std::move(message)); }
    void report_own(Key key, const std::string& message) {
        if (!draft_.own(key)) return;
        useless_.set(static_cast<std::size_t>(key));
        if (!draft_.mark(key).excused) report(key, message);
    }
    /// Where to complain of two settings: at `key` if it is the job's own, unless `other` was said over it.
    Key place_of(Key key, Key other) const { return draft_.own(key) && !draft_.outranks(other, key) ? key : other; }

    void check_type() {
        if (spec_.type != JobType::Oneshot) return;
        const auto when = policy_.when;
        if (when != Restart::Always && when != Restart::UnlessStopped && when != Restart::OnSuccess) return;
        const bool at_type = draft_.outranks(Key::Type, Key::Restart);
        report(at_type ? Key::Type : Key::Restart,
               "a oneshot that is started again after success is never done: write restart = \"on-failure\", "
               "or type = \"service\"");
    }

    /// Keys that matter only when there is an automatic restart.
    void check_never_restarted() {
        if (policy_.when != Restart::No || !policy_.force.empty()) return;
        constexpr std::array<std::pair<Key, const char*>, 8> kNeedRestart{{
            {Key::RestartDelay, "restart_delay"},
            {Key::RestartBackoff, "restart_backoff"},
            {Key::RestartDelayMax, "restart_delay_max"},
            {Key::RestartJitter, "restart_jitter"},
            {Key::RestartReset, "restart_reset"},
            {Key::StartLimit, "start_limit"},
            {Key::OnExhausted, "on_exhausted"},
            {Key::PreventRestartCodes, "prevent_restart_codes"},
        }};
        for (const auto& [key, name] : kNeedRestart) {
            report_own(key, "'" + std::string(name) + "' never takes effect: restart = \"no\"");
        }
    }

    bool restarts() const { return policy_.when != Restart::No || !policy_.force.empty(); }

    void check_delays() {
        if (!restarts()) return;
        const bool growing = policy_.backoff > 1;
        if (policy_.delay_max < policy_.delay) {
            const auto key = place_of(Key::RestartDelayMax, Key::RestartDelay);
            if (draft_.written(key)) {
                report(key, "'restart_delay_max' (" + to_text(policy_.delay_max) +
                                ") is shorter than 'restart_delay' (" + to_text(policy_.delay) + ")");
            }
        } else if (!growing && policy_.delay > Duration::zero()) {
            report_own(Key::RestartDelayMax,
                       "'restart_delay_max' never takes effect: with restart_backoff = 1 the delay never grows");
        }
        if (policy_.delay > Duration::zero()) return;
        constexpr const char* kNoDelay = " never takes effect: restart_delay is 0";
        if (growing) report_own(Key::RestartBackoff, std::string("'restart_backoff'") + kNoDelay);
        if (policy_.jitter > 0) report_own(Key::RestartJitter, std::string("'restart_jitter'") + kNoDelay);
        report_own(Key::RestartDelayMax, std::string("'restart_delay_max'") + kNoDelay);
    }

    /// No more than what `count` automatic starts and the end of the last one's life take at least, in microseconds.
    double shortest_span(std::uint32_t count) const {
        const auto uptime = static_cast<double>(policy_.min_uptime.count());
        const auto longest = static_cast<double>(policy_.delay_max.count());
        auto delay = static_cast<double>(policy_.delay.count());
        double span = 0;
        double best_share = uptime;  // of one start
        // One long life that clears the count of quick deaths, then quick deaths.
        double cycle = std::max(uptime, static_cast<double>(policy_.reset.count()));
        for (std::uint32_t i = 1; i <= count; ++i) {
            double wait = 0;  // there is none after the first quick death
            if (i > 1) {
                wait = std::min(delay, longest) * (1 - policy_.jitter);
                delay = std::min(delay * policy_.backoff, longest);
            }
            span += std::min(wait, uptime);
            cycle += wait;
            best_share = std::min(best_share, cycle / (i + 1));
        }
        return std::min(span, best_share * count);
    }

    void check_start_limit() {
        const auto& limit = policy_.start_limit;
        if (limit.count == 0) {
            report_own(Key::OnExhausted, "'on_exhausted' never takes effect: start_limit = \"none\"");
            return;
        }
        if (!draft_.own(Key::StartLimit) || !restarts()) return;
        if (shortest_span(limit.count) < static_cast<double>(limit.window.count())) return;
        report(Key::StartLimit, "'start_limit' never takes effect: with these delays and min_uptime, " +
                                    std::to_string(limit.count) + " starts do not fit in " + to_text(limit.window));
    }

    void check_exit_sets() {
        const auto shared = [](const auto& a, const auto& b) {
            return std::find_first_of(a.begin(), a.end(), b.begin(), b.end());
        };
        const auto code = shared(policy_.prevent.codes, policy_.force.codes);
        const auto number = shared(policy_.prevent.signals, policy_.force.signals);
        std::string both;
        if (code != policy_.prevent.codes.end()) both = std::to_string(*code);
        if (number != policy_.prevent.signals.end()) both = signal_name(*number);
        if (!both.empty()) {
            report(place_of(Key::ForceRestartCodes, Key::PreventRestartCodes),
                   both + " is in both 'prevent_restart_codes' and 'force_restart_codes'");
        }
        const bool always = policy_.when == Restart::Always || policy_.when == Restart::UnlessStopped;
        if (always && !policy_.force.empty()) {
            report_own(Key::ForceRestartCodes, "'force_restart_codes' never takes effect: it is always restarted");
        }
    }

    void check_ends() {
        if (spec_.essential && policy_.on_exhausted == OnExhausted::Fail) {
            report_own(Key::OnExhausted,
                       "'on_exhausted' = \"fail\" never takes effect: an essential job always ends the daemon");
        }
        const bool too_short = spec_.type == JobType::Service && spec_.run_timeout < policy_.min_uptime;
        if (too_short) {
            const auto key = place_of(Key::RunTimeout, Key::MinUptime);
            if (draft_.written(key)) {
                report(key, "'run_timeout' (" + to_text(spec_.run_timeout) + ") is shorter than 'min_uptime' (" +
                                to_text(policy_.min_uptime) + "): every run would be a quick death");
            }
        }
    }

    void check_max_lifetime() {
        if (spec_.max_lifetime == kForever) {
            report_own(Key::MaxLifetimeVariance,
                       "'max_lifetime_variance' never takes effect: there is no 'max_lifetime'");
            return;
        }
        const auto written = "'max_lifetime' (" + to_text(spec_.max_lifetime) + ")";
        if (spec_.type == JobType::Oneshot) {
            report_own(Key::MaxLifetime,
                       "'max_lifetime' is not for a oneshot, which ends by itself: 'run_timeout' bounds its run");
        } else if (spec_.max_lifetime < policy_.min_uptime) {
            const auto key = place_of(Key::MaxLifetime, Key::MinUptime);
            if (!draft_.written(key)) return;
            report(key, written + " is shorter than 'min_uptime' (" + to_text(policy_.min_uptime) + ")");
        } else if (never_so_old()) {
            const auto key = place_of(Key::MaxLifetime, Key::RunTimeout);
            if (!draft_.written(key)) return;
            report(key, written + " never takes effect: 'run_timeout' (" + to_text(spec_.run_timeout) +
                            ") ends every run before");
        }
    }

    /// Even when all of the variance shortens it.
    bool never_so_old() const {
        const auto shortest = static_cast<double>(spec_.max_lifetime.count()) * (1 - spec_.max_lifetime_variance);
        return spec_.run_timeout != kForever && shortest >= static_cast<double>(spec_.run_timeout.count());
    }

    void check_stop_steps() {
        Duration total{};
        for (const auto& step : spec_.stop_steps) {
            check_ends_process(Key::StopSignal, "stop_signal", step.signal);
            if (step.signal == SIGKILL) {
                report(Key::StopSignal,
                       "'stop_signal' needs no SIGKILL after another: that is sent when 'stop_timeout' (" +
                           to_text(spec_.stop_timeout) + ") has passed");
            }
            total += step.pause;
        }
        if (!spec_.stop_steps.empty() && total >= spec_.stop_timeout) {
            const bool at_timeout = draft_.outranks(Key::StopTimeout, Key::StopSignal);
            report(at_timeout ? Key::StopTimeout : Key::StopSignal,
                   "the last of 'stop_signal' is never sent: its pauses take " + to_text(total) +
                       ", and after 'stop_timeout' (" + to_text(spec_.stop_timeout) + ") the job is killed");
        }
    }

    void check_ends_process(Key key, std::string_view name, int signal) {
        if (ends_by_default(signal)) return;
        report(key, "'" + std::string(name) + "' cannot be " + signal_name(signal) + ", which does not end a process");
    }

    void check_signals() {
        check_ends_process(Key::StopSignal, "stop_signal", spec_.stop_signal);
        check_stop_steps();
        const auto written = [&](Key key) { return draft_.written(key); };
        constexpr std::array kTakeTime{Key::StopCommand, Key::PreStop, Key::PostStop, Key::OnFailed};
        if (spec_.stop_signal == SIGKILL && std::none_of(kTakeTime.begin(), kTakeTime.end(), written)) {
            report_own(Key::StopTimeout,
                       "'stop_timeout' never takes effect: stop_signal = \"SIGKILL\" ends it at once");
        }
        if (spec_.reload_signal == SIGKILL || spec_.reload_signal == SIGSTOP) {
            report(Key::ReloadSignal,
                   "'reload_signal' cannot be " + signal_name(spec_.reload_signal) + ", which no program can handle");
        } else if (spec_.reload_signal == spec_.stop_signal && draft_.own(Key::ReloadSignal)) {
            report(place_of(Key::ReloadSignal, Key::StopSignal),
                   "'reload_signal' is the same as 'stop_signal': a reload would end the job");
        }
    }

    void check_readiness() {
        constexpr std::array<std::pair<Key, const char*>, 8> kKinds{{
            {Key::ReadyNotify, "notify"},
            {Key::ReadyFd, "fd"},
            {Key::ReadyLogLine, "log_line"},
            {Key::ReadyTcp, "tcp"},
            {Key::ReadyUnix, "unix"},
            {Key::ReadyHttp, "http"},
            {Key::ReadyExec, "exec"},
            {Key::ReadyFile, "file"},
        }};
        const auto& ready = spec_.readiness;
        std::optional<Key> before;
        for (const auto& [key, word] : kKinds) {
            if (!draft_.own(key)) continue;
            const std::string name = "'ready." + std::string(word) + "'";
            // In an overlay it takes the place of what the file says.
            if (before && draft_.mark(*before).rank == draft_.mark(key).rank) {
                report(key, name + " excludes what else is written in [ready]: write one of them");
            }
            if (spec_.type == JobType::Oneshot) {
                report(key, name + " never takes effect: a oneshot is ready when it has ended well");
            }
            before = key;
        }
        const bool polled = ready.kind >= Readiness::Kind::Tcp;
        if (!polled)
            report_own(Key::ReadyInterval, "'ready.interval' never takes effect: nothing is looked at again and again");
        if (!ready.is_declared())
            report_own(Key::ReadyTimeout, "'ready.timeout' never takes effect: nothing in [ready] is waited for");
        // Of [defaults] a oneshot uses nothing of it.
        if (ready.kind == Readiness::Kind::Exec && !spec_.may_fork && spec_.type != JobType::Oneshot) {
            report(place_of(Key::ReadyExec, Key::MayFork), "'ready.exec' cannot run: may_fork = false");
        }
        const bool logged = spec_.is_logged() || draft_.stream_refused;
        if (ready.kind == Readiness::Kind::LogLine && !logged && spec_.type != JobType::Oneshot) {
            report(
                Key::ReadyLogLine,
                "'ready.log_line' sees nothing: neither 'log.stdout' nor 'log.stderr' is \"capture\", \"journal\" or "
                "\"forward\"");
        }
    }

    void check_stop_command() {
        if (spec_.stop_timeout > Duration::zero()) return;
        report_own(Key::StopCommand,
                   "'stop_command' never takes effect: with stop_timeout = \"0s\" the job is killed at once");
    }

    void check_hooks() {
        if (draft_.written(Key::ReloadCommand) && !draft_.outranks(Key::ReloadSignal, Key::ReloadCommand))
            report_own(Key::ReloadSignal, "'reload_signal' never takes effect: 'reload_command' is run instead");
        if (spec_.type == JobType::Oneshot)
            report_own(Key::PostStart,
                       "'post_start' never takes effect: a oneshot is up when it has ended; write 'post_stop'");
        if (spec_.stop_timeout > Duration::zero()) return;
        for (const auto hook : {Hook::PreStop, Hook::PostStop, Hook::OnFailed}) {
            report_own(key_of(hook), "'" + std::string(word_of(hook)) +
                                         "' never takes effect: with stop_timeout = \"0s\" it has no time");
        }
    }

    void check_watchdog() {
        if (spec_.watchdog == kForever) {
            report_own(Key::WatchdogSignal, "'watchdog_signal' never takes effect: there is no 'watchdog'");
            return;
        }
        check_ends_process(Key::WatchdogSignal, "watchdog_signal", spec_.watchdog_signal);
        if (spec_.type == JobType::Oneshot) {
            report_own(Key::Watchdog,
                       "'watchdog' is not for a oneshot, which ends by itself: 'run_timeout' bounds its run");
        } else if (spec_.readiness.kind == Readiness::Kind::Fd) {
            report(place_of(Key::Watchdog, Key::ReadyFd),
                   "'watchdog' is not for a job with 'ready.fd': write ready.notify = true instead of that, or "
                   "watchdog = \"none\"");
        }
    }

    void check_zombies() {
        if (spec_.zombie_limit) return;
        report_own(Key::ZombieCheck, "'zombie_check' never takes effect: there is no 'zombie_limit'");
    }

    void check_bond() {
        if (!spec_.daemon_of.empty()) return;
        report_own(Key::OnParentRestart, "'on_parent_restart' never takes effect: there is no 'daemon_of'");
    }

    void check_limits() {
        check_priority();
        check_memory();
        const bool any = !spec_.limits.empty() || !spec_.tree_limits.empty() || spec_.nice || spec_.oom_score_adjust ||
                         spec_.scheduling || spec_.io_priority || !spec_.cpu_affinity.empty();
        if (!spec_.strict_limits || any) return;
        report_own(Key::StrictLimits, "'limits.strict' never takes effect: no limit is set");
    }

    void check_memory() {
        const auto* max = find_tree_limit(spec_, TreeLimit::Kind::MemoryMax);
        const auto* high = find_tree_limit(spec_, TreeLimit::Kind::MemoryHigh);
        if (max == nullptr || high == nullptr || high->value == TreeLimit::kUnlimited) return;
        if (high->value <= max->value) return;
        report_own(Key::MemoryHigh,
                   "'limits.memory_high' never takes effect: 'limits.memory_max' is " + tree_limit_toml(*max));
    }

    void check_priority() {
        if (!spec_.scheduling || !spec_.nice) return;
        const auto policy = spec_.scheduling->policy;
        if (policy == Scheduling::Policy::Other || policy == Scheduling::Policy::Batch) return;
        report_own(Key::Nice,
                   "'limits.nice' never takes effect: 'limits.scheduling' is \"" + word_of(*spec_.scheduling) + "\"");
    }

    void check_privileges() {
        if (spec_.may_fork || spec_.privileges.no_new_privileges.value_or(true)) return;
        report(
            place_of(Key::NoNewPrivileges, Key::MayFork),
            "'sandbox.no_new_privileges' cannot be false with 'may_fork' = false: the kernel takes such a filter only "
            "together with it");
    }

    void check_sandbox() {
        const bool read_only = !draft_.read_only_paths.empty();
        if (!read_only && !draft_.read_write_paths.empty()) {
            report_own(Key::ReadWritePaths,
                       "'sandbox.read_write_paths' never takes effect: there are no 'sandbox.read_only_paths'");
        }
        if (!spec_.sandbox.strict || read_only || spec_.sandbox.private_tmp) return;
        report_own(Key::StrictSandbox,
                   "'sandbox.strict' never takes effect: neither 'private_tmp' nor 'read_only_paths' is set");
    }

    /// Of one text: what a job says itself stands over what [defaults] say, and an overlay over both.
    void check_output() {
        const bool both = draft_.written(Key::LogPipeTo) && draft_.written(Key::LogStdout);
        if (!both || draft_.mark(Key::LogPipeTo).rank != draft_.mark(Key::LogStdout).rank) return;
        report(Key::LogPipeTo, "'log.pipe_to' and 'log.stdout' exclude each other: write one of them");
    }

    void check_log() {
        constexpr std::array<std::pair<Key, const char*>, 8> kOfCapture{{
            {Key::LogFormat, "log.format"},
            {Key::LogMaxSize, "log.max_size"},
            {Key::LogMaxAge, "log.max_age"},
            {Key::LogKeep, "log.keep"},
            {Key::LogTotalSize, "log.total_size"},
            {Key::LogCompress, "log.compress"},
            {Key::LogSync, "log.sync"},
            {Key::LogDir, "log.dir"},
        }};
        constexpr std::array<std::pair<Key, const char*>, 2> kOfLogged{{
            {Key::LogOnFull, "log.on_full"},
            {Key::LogRateLimit, "log.rate_limit"},
        }};
        constexpr std::array<std::pair<Key, const char*>, 1> kOfMirrored{{{Key::LogMirror, "log.mirror"}}};
        const auto report_without = [&](const auto& keys, const std::string& kinds) {
            for (const auto& [key, name] : keys) {
                report_own(key, "'" + std::string(name) +
                                    "' never takes effect: neither 'log.stdout' nor 'log.stderr' is " + kinds);
            }
        };
        if (draft_.stream_refused) return;
        if (!spec_.captures()) {
            report_without(kOfCapture, "\"capture\"");
        } else {
            check_rotated();
        }
        if (!spec_.is_logged()) report_without(kOfLogged, "\"capture\", \"journal\" or \"forward\"");
        if (spec_.writes_to(Stream::Kind::Forward) && !spec_.can_be_mirrored()) {
            report_own(Key::LogMirror,
                       "'log.mirror' never takes effect: what is forwarded goes to procsupd's output already; leave it "
                       "out, or write \"capture\" instead of \"forward\"");
        } else if (!spec_.can_be_mirrored()) {
            report_without(kOfMirrored, "\"capture\" or \"journal\"");
        }
    }

    void check_rotated() {
        const auto& log = spec_.log;
        if (log.keep == 0) {
            constexpr const char* kNoneKept = " never takes effect: log.keep is 0";
            report_own(Key::LogTotalSize, std::string("'log.total_size'") + kNoneKept);
            report_own(Key::LogCompress, std::string("'log.compress'") + kNoneKept);
        } else if (log.total_size != 0 && log.total_size < log.max_size) {
            const bool at_max = draft_.outranks(Key::LogMaxSize, Key::LogTotalSize);
            report(at_max ? Key::LogMaxSize : Key::LogTotalSize,
                   "'log.total_size' (" + exact_size(log.total_size) + ") is smaller than 'log.max_size' (" +
                       exact_size(log.max_size) + "): not even one rotated file would be kept");
        }
    }

    const JobDraft& draft_;
    const JobSpec& spec_;
    const RestartPolicy& policy_;
    Problems& problems_;
    std::bitset<kKeyCount>& useless_;
};

}  // namespace

void check_settings(const JobDraft& draft, Problems& problems) {
    std::bitset<kKeyCount> useless;
    SettingsCheck(draft, problems, useless).run();
}

std::bitset<kKeyCount> useless_settings(const JobDraft& draft) {
    std::bitset<kKeyCount> useless;
    Problems none;
    SettingsCheck(draft, none, useless).run();
    return useless;
}

}  // namespace procsup
