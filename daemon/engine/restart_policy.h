#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "common/exit_status.h"
#include "conf/job_spec.h"
#include "daemon/engine/ports.h"

/// What follows the end of a run: pure decisions, each with its reason.
namespace procsup {

/// How a run came to its end, when nobody asked it to.
struct RunEnd {
    std::optional<ExitStatus> status;  ///< absent: its program was never executed
    bool timed_out = false;            ///< ended by start_timeout, run_timeout or watchdog
    Duration uptime{};                 ///< from execution to end; 0 when never executed
    bool out_of_memory = false;        ///< killed by the kernel for want of memory
};

/// Whether the end counts as success: a code or signal of success_exit_codes, not timed out and not out of memory.
bool is_success(const RestartPolicy& policy, const RunEnd& end);

/// Whether the policy wants another start. prevent_restart_codes win over force_restart_codes, these over `when`.
bool wants_restart(const RestartPolicy& policy, const RunEnd& end);

/// The codes of the policy that decide about another start against what it wants otherwise: "prevent_restart_codes" or
/// "force_restart_codes"; empty: none do.
std::string_view deciding_codes(const RestartPolicy& policy, const RunEnd& end);

/// Delay before the start that follows quick death number `count` (1 = at once), without jitter.
Duration restart_delay(const RestartPolicy& policy, std::uint32_t count);

/// `delay` moved by up to +-jitter, drawn from `random`.
Duration with_jitter(Duration delay, double jitter, std::minstd_rand& random);

/// The automatic starts of one instance that still count against its start limit: a sliding window.
class StartHistory {
public:
    /// Notes an automatic start at `now` unless the limit is reached; says whether it may happen.
    bool admit(const RateLimit& limit, TimePoint now);
    /// When admit() would admit the next one: `now`, or later.
    TimePoint admits_at(const RateLimit& limit, TimePoint now) const;
    /// How many automatic starts there were in the window of `limit` before `now`.
    std::uint32_t count(const RateLimit& limit, TimePoint now) const;
    /// Whether the limit of `policy` is ever reached, if every run from that of `next` on ends at once: `quick_deaths` have so far.
    bool can_reach_limit(const RestartPolicy& policy, std::uint32_t quick_deaths, TimePoint next) const;
    void clear();

private:
    // Absent until the first automatic restart: most instances never need one.
    std::unique_ptr<std::deque<TimePoint>> starts_;
};

}  // namespace procsup
