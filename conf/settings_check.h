#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "conf/job_draft.h"
#include "conf/job_text.h"
#include "conf/problems.h"

namespace procsup {

/// Compares the settings of one job with each other. A setting is complained of only where it is written in the job
/// itself: what stands in [defaults] need not have an effect on every job, nor what an overlay has made useless.
class SettingsCheck {
public:
    SettingsCheck(const JobDraft& draft, Problems& problems, std::bitset<kKeyCount>& useless)
        : draft_(draft), spec_(draft.spec), policy_(draft.spec.restart), problems_(problems), useless_(useless) {}

    void run();

private:
    void report(Key key, std::string message) { problems_.add(draft_.mark(key).place, std::move(message)); }
    void report_own(Key key, const std::string& message) {
        if (!draft_.own(key)) return;
        useless_.set(static_cast<std::size_t>(key));
        if (!draft_.mark(key).excused) report(key, message);
    }
    /// Where to complain of two settings: at `key` if it is the job's own, unless `other` was said over it.
    Key place_of(Key key, Key other) const { return draft_.own(key) && !draft_.outranks(other, key) ? key : other; }
    std::string type_word() const { return std::string(word_of(spec_.type)); }
    /// There are automatic restarts.
    bool restarts() const { return policy_.when != Restart::No || !policy_.force.empty(); }

    // check_restarts.cc: restarts, and how long a run may last
    void check_type();
    void check_never_restarted();
    void check_delays();
    double shortest_span(std::uint32_t count) const;
    void check_start_limit();
    void check_exit_sets();
    void check_ends();
    void check_max_lifetime();
    bool never_so_old() const;

    // check_run_control.cc: what procsupd says to a run and hears from it
    void check_stop_steps();
    void check_ends_process(Key key, std::string_view name, int signal);
    void check_signals();
    void check_readiness();
    void check_stop_command();
    void check_hooks();
    void check_watchdog();

    // check_schedule.cc
    void check_schedule();

    // check_sockets.cc
    void check_sockets();
    void check_accepting();

    // check_health.cc
    void check_health();
    void check_health_target();
    void check_thresholds();

    // check_settings.cc: other jobs, limits and rights
    void check_bond();
    void check_zombies();
    void check_limits();
    void check_memory();
    void check_priority();
    void check_privileges();
    void check_sandbox();

    // check_output.cc: where its output goes
    void check_output();
    void check_log();
    void check_rotated();

    const JobDraft& draft_;
    const JobSpec& spec_;
    const RestartPolicy& policy_;
    Problems& problems_;
    std::bitset<kKeyCount>& useless_;
};

}  // namespace procsup
