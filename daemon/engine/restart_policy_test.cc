#include "daemon/engine/restart_policy.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace procsup {
namespace {

using namespace std::chrono_literals;

struct PolicyCase {
    Restart when;
    RunEnd end;
    bool restarts;
};

const RunEnd kWell{ExitStatus::exited(0), false, 5s};
const RunEnd kBadly{ExitStatus::exited(1), false, 5s};
const RunEnd kKilled{ExitStatus::killed(SIGSEGV), false, 5s};
const RunEnd kTimedOut{ExitStatus::exited(0), true, 5s};
const RunEnd kNeverExecuted{std::nullopt, false, 0s};

TEST(RestartPolicy, DecidesByItsWord) {
    const PolicyCase cases[] = {
        {Restart::No, kBadly, false},
        {Restart::No, kNeverExecuted, false},
        {Restart::OnSuccess, kWell, true},
        {Restart::OnSuccess, kBadly, false},
        {Restart::OnFailure, kWell, false},
        {Restart::OnFailure, kBadly, true},
        {Restart::OnFailure, kKilled, true},
        {Restart::OnFailure, kTimedOut, true},
        {Restart::OnFailure, kNeverExecuted, true},
        {Restart::OnAbnormal, kBadly, false},
        {Restart::OnAbnormal, kKilled, true},
        {Restart::OnAbnormal, kTimedOut, true},
        {Restart::Always, kWell, true},
        {Restart::UnlessStopped, kWell, true},
    };
    for (const auto& one : cases) {
        RestartPolicy policy;
        policy.when = one.when;
        EXPECT_EQ(wants_restart(policy, one.end), one.restarts) << "case " << (&one - cases);
    }
}

TEST(RestartPolicy, ListsOverrideTheWordAndPreventWins) {
    RestartPolicy policy;
    policy.when = Restart::Always;
    policy.prevent = {{1}, {}};
    EXPECT_FALSE(wants_restart(policy, kBadly));
    policy.force = {{1}, {}};
    EXPECT_FALSE(wants_restart(policy, kBadly));
    policy.when = Restart::No;
    policy.prevent = {};
    EXPECT_TRUE(wants_restart(policy, kBadly));
}

TEST(RestartPolicy, NamesTheCodesOnlyWhereTheyDecide) {
    RestartPolicy policy;
    policy.when = Restart::OnFailure;
    policy.prevent = {{0, 1}, {}};
    EXPECT_EQ(deciding_codes(policy, kBadly), "prevent_restart_codes");
    EXPECT_EQ(deciding_codes(policy, kWell), "") << "it is not started again anyway";
    EXPECT_EQ(deciding_codes(policy, kKilled), "");
    policy.prevent = {};
    policy.force = {{0, 1}, {}};
    EXPECT_EQ(deciding_codes(policy, kWell), "force_restart_codes");
    EXPECT_EQ(deciding_codes(policy, kBadly), "");
}

TEST(RestartPolicy, CountsListedSignalsAsSuccess) {
    RestartPolicy policy;
    policy.success = {{0}, {SIGSEGV}};
    EXPECT_TRUE(is_success(policy, kKilled));
    EXPECT_FALSE(is_success(policy, kTimedOut));
}

TEST(RestartPolicy, DelaysByTheFormulaAndItsCap) {
    const RestartPolicy policy;
    EXPECT_EQ(restart_delay(policy, 1), 0s);
    EXPECT_EQ(restart_delay(policy, 2), 500ms);
    EXPECT_EQ(restart_delay(policy, 3), 1s);
    EXPECT_EQ(restart_delay(policy, 4), 2s);
    EXPECT_EQ(restart_delay(policy, 8), 30s);
    EXPECT_EQ(restart_delay(policy, 4'000'000'000), 30s);
}

TEST(RestartPolicy, StaysAtZeroWhenTheDelayIsZero) {
    RestartPolicy policy;
    policy.delay = 0s;
    EXPECT_EQ(restart_delay(policy, 9), 0s);
    EXPECT_EQ(restart_delay(policy, 4'000'000'000), 0s);
}

TEST(StartHistory, CountsWhatIsInTheWindow) {
    StartHistory starts;
    const RateLimit limit{3, 10s};
    const TimePoint begun{1h};
    EXPECT_EQ(starts.count(limit, begun), 0u);
    EXPECT_TRUE(starts.admit(limit, begun));
    EXPECT_TRUE(starts.admit(limit, begun + 4s));
    EXPECT_EQ(starts.count(limit, begun + 9s), 2u);
    EXPECT_EQ(starts.count(limit, begun + 10s), 1u);
    starts.clear();
    EXPECT_EQ(starts.count(limit, begun + 10s), 0u);
}

TEST(RestartPolicy, MovesADelayByAtMostItsJitter) {
    std::minstd_rand random(1);
    bool moved = false;
    for (int i = 0; i < 1000; ++i) {
        const auto delay = with_jitter(10s, 0.1, random);
        EXPECT_GE(delay, 9s);
        EXPECT_LE(delay, 11s);
        moved = moved || delay != 10s;
    }
    EXPECT_TRUE(moved);
}

struct ReachCase {
    RateLimit limit;
    Duration delay;
    double backoff;
    double jitter;
    std::vector<Duration> starts;  ///< before now, in which one is due
    std::uint32_t quick_deaths;
    bool reached;
};

TEST(StartLimit, IsReachedOnlyWhereItsWindowHoldsEnoughDelays) {
    const ReachCase cases[] = {
        {{10, 60s}, 100ms, 1.5, 0, {}, 1, true},    {{5, 10s}, 1s, 2, 0, {}, 1, false},
        {{4, 10s}, 1s, 2, 0, {}, 0, true},          {{4, 10s}, 1s, 2, 0, {}, 5, false},
        {{5, 10s}, 2s, 1, 0, {}, 3, false},         {{5, 10s}, 2s, 1, 0.1, {}, 3, true},
        {{5, 10s}, 0s, 2, 0, {}, 9, true},          {{5, 10s}, 20s, 1, 1, {}, 9, true},
        {{3, 60s}, 40s, 1, 0, {}, 2, false},        {{3, 60s}, 40s, 1, 0, {2s, 1s}, 2, true},
        {{3, 60s}, 15s, 1, 0, {40s, 30s}, 2, true},
    };
    const TimePoint now(1h);
    for (const auto& one : cases) {
        RestartPolicy policy;
        policy.start_limit = one.limit;
        policy.delay = one.delay;
        policy.delay_max = 1h;
        policy.backoff = one.backoff;
        policy.jitter = one.jitter;
        StartHistory history;
        for (const auto before : one.starts) EXPECT_TRUE(history.admit(policy.start_limit, now - before));
        EXPECT_EQ(history.can_reach_limit(policy, one.quick_deaths, now), one.reached) << "case " << (&one - cases);
    }
}

}  // namespace
}  // namespace procsup
