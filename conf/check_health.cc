// Whether what [health] says goes together, and with the rest of the job.
#include <array>
#include <optional>
#include <string>

#include "conf/settings_check.h"
#include "conf/tree_limits.h"

namespace procsup {

void SettingsCheck::check_health_target() {
    constexpr std::array<std::pair<Key, const char*>, 4> kKinds{
        {{Key::HealthTcp, "tcp"}, {Key::HealthUnix, "unix"}, {Key::HealthHttp, "http"}, {Key::HealthExec, "exec"}}};
    std::optional<Key> before;
    for (const auto& [key, word] : kKinds) {
        if (!draft_.own(key)) continue;
        const std::string name = "'health." + std::string(word) + "'";
        // In an overlay it takes the place of what the file says.
        if (before && draft_.mark(*before).rank == draft_.mark(key).rank)
            report(key, name + " excludes what else is looked at in [health]: write one of them");
        if (spec_.ends_by_itself())
            report(key, name + " is not for a " + type_word() + ", which ends by itself: 'run_timeout' bounds its run");
        before = key;
    }
}

void SettingsCheck::check_thresholds() {
    for (const auto& [key, word] : {std::pair(Key::HealthMemoryAbove, "'health.memory_above'"),
                                    std::pair(Key::HealthCpuAbove, "'health.cpu_above'")}) {
        if (spec_.ends_by_itself())
            report_own(
                key, word + (" is not for a " + type_word()) + ", which ends by itself: 'run_timeout' bounds its run");
    }
    const auto* max = find_tree_limit(spec_, TreeLimit::Kind::MemoryMax);
    const auto above = spec_.health.memory_above;
    if (above > 0 && max != nullptr && max->value <= above) {
        report(place_of(Key::HealthMemoryAbove, Key::MemoryMax),
               "'health.memory_above' is never reached: 'limits.memory_max' is " + tree_limit_toml(*max));
    }
}

void SettingsCheck::check_health() {
    check_health_target();
    const auto& health = spec_.health;
    if (!health.is_declared()) {
        constexpr std::array kOthers{Key::HealthInterval, Key::HealthTimeout,     Key::HealthFailures,
                                     Key::HealthOf,       Key::HealthSuccesses,   Key::HealthGrace,
                                     Key::HealthAction,   Key::HealthRestartLimit};
        for (const auto key : kOthers)
            report_own(key,
                       "it never takes effect: [health] says nowhere what is looked at: tcp, unix, http, exec, "
                       "memory_above or cpu_above");
        return;
    }
    if (!health.look.is_declared())
        report_own(Key::HealthTimeout,
                   "'health.timeout' never takes effect: neither tcp, unix, http nor exec is asked");
    check_thresholds();
    if (draft_.written(Key::HealthOf) && health.failures > health.of) {
        report(place_of(Key::HealthFailures, Key::HealthOf), "'health.failures' (" + std::to_string(health.failures) +
                                                                 ") is never reached: only 'health.of' (" +
                                                                 std::to_string(health.of) + ") looks are considered");
    }
    if (spec_.ends_by_itself()) return;
    if (health.look.kind == Readiness::Kind::Exec && !spec_.may_fork)
        report(place_of(Key::HealthExec, Key::MayFork), "'health.exec' cannot run: may_fork = false");
    if (health.action == Health::Action::None)
        report_own(Key::HealthRestartLimit, "'health.restart_limit' never takes effect: health.action = \"none\"");
    const bool never = policy_.when == Restart::No && policy_.force.empty();
    if (health.action == Health::Action::Restart && never && draft_.own(Key::Restart)) {
        report(
            place_of(Key::Restart, Key::HealthAction),
            "[health] would restart what restart = \"no\" never starts again: write action = \"none\" in [health], or "
            "another 'restart'");
    }
}

}  // namespace procsup
