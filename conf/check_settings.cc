#include <string>

#include "conf/job_resolver.h"
#include "conf/job_text.h"
#include "conf/resource_limits.h"
#include "conf/settings_check.h"
#include "conf/tree_limits.h"

namespace procsup {

void SettingsCheck::run() {
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
    check_health();
    check_schedule();
    check_sockets();
    check_zombies();
    check_limits();
    check_privileges();
    check_sandbox();
    check_output();
    check_log();
}

void SettingsCheck::check_bond() {
    if (!spec_.daemon_of.empty()) return;
    report_own(Key::OnParentRestart, "'on_parent_restart' never takes effect: there is no 'daemon_of'");
}

void SettingsCheck::check_zombies() {
    if (spec_.zombie_limit) return;
    report_own(Key::ZombieCheck, "'zombie_check' never takes effect: there is no 'zombie_limit'");
}

void SettingsCheck::check_limits() {
    check_priority();
    check_memory();
    const bool any = !spec_.limits.empty() || !spec_.tree_limits.empty() || spec_.nice || spec_.oom_score_adjust ||
                     spec_.scheduling || spec_.io_priority || !spec_.cpu_affinity.empty();
    if (!spec_.strict_limits || any) return;
    report_own(Key::StrictLimits, "'limits.strict' never takes effect: no limit is set");
}

void SettingsCheck::check_memory() {
    const auto* max = find_tree_limit(spec_, TreeLimit::Kind::MemoryMax);
    const auto* high = find_tree_limit(spec_, TreeLimit::Kind::MemoryHigh);
    if (max == nullptr || high == nullptr || high->value == TreeLimit::kUnlimited) return;
    if (high->value <= max->value) return;
    report_own(Key::MemoryHigh,
               "'limits.memory_high' never takes effect: 'limits.memory_max' is " + tree_limit_toml(*max));
}

void SettingsCheck::check_priority() {
    if (!spec_.scheduling || !spec_.nice) return;
    const auto policy = spec_.scheduling->policy;
    if (policy == Scheduling::Policy::Other || policy == Scheduling::Policy::Batch) return;
    report_own(Key::Nice,
               "'limits.nice' never takes effect: 'limits.scheduling' is \"" + word_of(*spec_.scheduling) + "\"");
}

void SettingsCheck::check_privileges() {
    if (spec_.may_fork || spec_.privileges.no_new_privileges.value_or(true)) return;
    report(place_of(Key::NoNewPrivileges, Key::MayFork),
           "'sandbox.no_new_privileges' cannot be false with 'may_fork' = false: the kernel takes such a filter only "
           "together with it");
}

void SettingsCheck::check_sandbox() {
    const bool read_only = !draft_.read_only_paths.empty();
    if (!read_only && !draft_.read_write_paths.empty()) {
        report_own(Key::ReadWritePaths,
                   "'sandbox.read_write_paths' never takes effect: there are no 'sandbox.read_only_paths'");
    }
    if (!spec_.sandbox.strict || read_only || spec_.sandbox.private_tmp) return;
    report_own(Key::StrictSandbox,
               "'sandbox.strict' never takes effect: neither 'private_tmp' nor 'read_only_paths' is set");
}

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
