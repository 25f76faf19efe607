// Whether settings of restarts, and of how long a run may last, go together.
#include <algorithm>
#include <array>
#include <string>

#include "common/signal_name.h"
#include "common/units.h"
#include "conf/settings_check.h"

namespace procsup {

void SettingsCheck::check_type() {
    if (!spec_.ends_by_itself()) return;
    const auto when = policy_.when;
    if (when != Restart::Always && when != Restart::UnlessStopped && when != Restart::OnSuccess) return;
    const bool at_type = draft_.outranks(Key::Type, Key::Restart);
    report(at_type ? Key::Type : Key::Restart,
           "a " + type_word() +
               " that is started again after success is never done: write restart = \"on-failure\", "
               "or type = \"service\"");
}

/// Keys that matter only when there is an automatic restart.
void SettingsCheck::check_never_restarted() {
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

void SettingsCheck::check_delays() {
    if (!restarts()) return;
    const bool growing = policy_.backoff > 1;
    if (policy_.delay_max < policy_.delay) {
        const auto key = place_of(Key::RestartDelayMax, Key::RestartDelay);
        if (draft_.written(key)) {
            report(key, "'restart_delay_max' (" + to_text(policy_.delay_max) + ") is shorter than 'restart_delay' (" +
                            to_text(policy_.delay) + ")");
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
double SettingsCheck::shortest_span(std::uint32_t count) const {
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

void SettingsCheck::check_start_limit() {
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

void SettingsCheck::check_exit_sets() {
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

void SettingsCheck::check_ends() {
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

void SettingsCheck::check_max_lifetime() {
    if (spec_.max_lifetime == kForever) {
        report_own(Key::MaxLifetimeVariance, "'max_lifetime_variance' never takes effect: there is no 'max_lifetime'");
        return;
    }
    const auto written = "'max_lifetime' (" + to_text(spec_.max_lifetime) + ")";
    if (spec_.ends_by_itself()) {
        report_own(Key::MaxLifetime, "'max_lifetime' is not for a " + type_word() +
                                         ", which ends by itself: 'run_timeout' bounds its run");
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
bool SettingsCheck::never_so_old() const {
    const auto shortest = static_cast<double>(spec_.max_lifetime.count()) * (1 - spec_.max_lifetime_variance);
    return spec_.run_timeout != kForever && shortest >= static_cast<double>(spec_.run_timeout.count());
}

}  // namespace procsup
