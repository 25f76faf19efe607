// Whether what [health] says goes together, and with the rest of the job.
#include <array>
#include <optional>
#include <string>

#include "conf/settings_check.h"

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

void SettingsCheck::check_health() {
    check_health_target();
    const auto& health = spec_.health;
    if (!health.is_declared()) {
        constexpr std::array kOthers{Key::HealthInterval, Key::HealthTimeout,     Key::HealthFailures,
                                     Key::HealthOf,       Key::HealthSuccesses,   Key::HealthGrace,
                                     Key::HealthAction,   Key::HealthRestartLimit};
        for (const auto key : kOthers)
            report_own(key, "it never takes effect: [health] says nowhere what is looked at: tcp, unix, http or exec");
        return;
    }
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
