// Whether what procsupd says to a run, and hears from it, goes together.
#include <signal.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "common/signal_name.h"
#include "common/units.h"
#include "conf/settings_check.h"

namespace procsup {

void SettingsCheck::check_stop_steps() {
    Duration total{};
    for (const auto& step : spec_.stop_steps) {
        check_ends_process(Key::StopSignal, "stop_signal", step.signal);
        if (step.signal == SIGKILL) {
            report(Key::StopSignal, "'stop_signal' needs no SIGKILL after another: that is sent when 'stop_timeout' (" +
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

void SettingsCheck::check_ends_process(Key key, std::string_view name, int signal) {
    if (ends_by_default(signal)) return;
    report(key, "'" + std::string(name) + "' cannot be " + signal_name(signal) + ", which does not end a process");
}

void SettingsCheck::check_signals() {
    check_ends_process(Key::StopSignal, "stop_signal", spec_.stop_signal);
    check_stop_steps();
    const auto written = [&](Key key) { return draft_.written(key); };
    constexpr std::array kTakeTime{Key::StopCommand, Key::PreStop, Key::PostStop, Key::OnFailed};
    if (spec_.stop_signal == SIGKILL && std::none_of(kTakeTime.begin(), kTakeTime.end(), written)) {
        report_own(Key::StopTimeout, "'stop_timeout' never takes effect: stop_signal = \"SIGKILL\" ends it at once");
    }
    if (spec_.reload_signal == SIGKILL || spec_.reload_signal == SIGSTOP) {
        report(Key::ReloadSignal,
               "'reload_signal' cannot be " + signal_name(spec_.reload_signal) + ", which no program can handle");
    } else if (spec_.reload_signal == spec_.stop_signal && draft_.own(Key::ReloadSignal)) {
        report(place_of(Key::ReloadSignal, Key::StopSignal),
               "'reload_signal' is the same as 'stop_signal': a reload would end the job");
    }
}

void SettingsCheck::check_readiness() {
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
        if (spec_.ends_by_itself())
            report(key, name + " never takes effect: a " + type_word() + " is waited for until it has ended");
        before = key;
    }
    const bool polled = ready.kind >= Readiness::Kind::Tcp;
    if (!polled)
        report_own(Key::ReadyInterval, "'ready.interval' never takes effect: nothing is looked at again and again");
    if (!ready.is_declared())
        report_own(Key::ReadyTimeout, "'ready.timeout' never takes effect: nothing in [ready] is waited for");
    // Of [defaults] what ends by itself uses nothing of it.
    if (ready.kind == Readiness::Kind::Exec && !spec_.may_fork && !spec_.ends_by_itself()) {
        report(place_of(Key::ReadyExec, Key::MayFork), "'ready.exec' cannot run: may_fork = false");
    }
    const bool logged = spec_.is_logged() || draft_.stream_refused;
    if (ready.kind == Readiness::Kind::LogLine && !logged && !spec_.ends_by_itself()) {
        report(Key::ReadyLogLine,
               "'ready.log_line' sees nothing: neither 'log.stdout' nor 'log.stderr' is \"capture\", \"journal\" or "
               "\"forward\"");
    }
}

void SettingsCheck::check_stop_command() {
    if (spec_.stop_timeout > Duration::zero()) return;
    report_own(Key::StopCommand,
               "'stop_command' never takes effect: with stop_timeout = \"0s\" the job is killed at once");
}

void SettingsCheck::check_hooks() {
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

void SettingsCheck::check_watchdog() {
    if (spec_.watchdog == kForever) {
        report_own(Key::WatchdogSignal, "'watchdog_signal' never takes effect: there is no 'watchdog'");
        return;
    }
    check_ends_process(Key::WatchdogSignal, "watchdog_signal", spec_.watchdog_signal);
    if (spec_.ends_by_itself()) {
        report_own(Key::Watchdog,
                   "'watchdog' is not for a " + type_word() + ", which ends by itself: 'run_timeout' bounds its run");
    } else if (spec_.readiness.kind == Readiness::Kind::Fd) {
        report(place_of(Key::Watchdog, Key::ReadyFd),
               "'watchdog' is not for a job with 'ready.fd': write ready.notify = true instead of that, or "
               "watchdog = \"none\"");
    }
}

}  // namespace procsup
