#include "daemon/engine/instance.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

TEST(Instance, RunsFromStartToExec) {
    Sim sim;
    sim.start();
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.fakes.calls, std::vector<std::string>{"spawn web"});
    sim.run();
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_TRUE(sim.web().ready());
    EXPECT_EQ(sim.web().pid(), 411);
    EXPECT_EQ(sim.web().cause(), "start asked");
}

TEST(Instance, StartsAtOnceAfterTheFirstQuickDeathAndBacksOffAfterTheNext) {
    Sim sim;
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(3));
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.web().cause(), "restarted after exit 3");
    sim.run();
    sim.exit(ExitStatus::exited(3));
    EXPECT_EQ(sim.state(), State::Backoff);
    EXPECT_EQ(sim.web().next_start() - sim.fakes.now, 500ms);
    sim.fire(TimerKind::Backoff);
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.web().restarts(), 2u);
}

TEST(Instance, ForgetsQuickDeathsAfterALongRun) {
    Sim sim;
    sim.start();
    for (int i = 0; i < 2; ++i) {
        sim.run();
        sim.exit(ExitStatus::exited(3));
    }
    sim.fire(TimerKind::Backoff);
    sim.run();
    sim.pass(11s);
    sim.exit(ExitStatus::exited(3));
    EXPECT_EQ(sim.state(), State::Starting);
    sim.run();
    sim.exit(ExitStatus::exited(3));
    EXPECT_EQ(sim.state(), State::Starting) << "the first quick death after a long run";
}

TEST(Instance, FailsWhenTheStartLimitIsReached) {
    JobSpec spec;
    spec.restart.start_limit = {3, 60s};
    Sim sim(spec);
    sim.start();
    for (int i = 0; i < 4; ++i) {
        sim.run();
        sim.pass(2s);
        sim.exit(ExitStatus::killed(SIGSEGV, true));
    }
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "start_limit (3/1min) reached; last: killed by SIGSEGV (core dumped)");
    sim.supervisor.reset(sim.id, "reset asked", sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_EQ(sim.web().restarts(), 0u);
}

TEST(Instance, DoesNotCountStartsThatLeftTheWindow) {
    JobSpec spec;
    spec.restart.start_limit = {3, 60s};
    Sim sim(spec);
    sim.start();
    for (int i = 0; i < 10; ++i) {
        sim.run();
        sim.pass(21s);
        sim.exit(ExitStatus::exited(1));
    }
    EXPECT_EQ(sim.state(), State::Starting);
}

TEST(Instance, EndsAsExitedAfterSuccessAndAsFailedAfterFailureWithoutRestart) {
    Sim well(with_restart(Restart::No));
    well.start();
    well.run();
    well.exit(ExitStatus::exited(0));
    EXPECT_EQ(well.state(), State::Exited);
    EXPECT_FALSE(well.web().ready());

    Sim badly(with_restart(Restart::No));
    badly.start();
    badly.run();
    badly.exit(ExitStatus::exited(78));
    EXPECT_EQ(badly.state(), State::Failed);
    EXPECT_EQ(badly.web().cause(), "exit 78 (EX_CONFIG)");
}

TEST(Instance, NamesTheCodesThatDecideWhetherItIsStartedAgain) {
    JobSpec spec = with_restart(Restart::OnFailure);
    spec.restart.prevent = {{78}, {SIGTERM}};
    spec.restart.force = {{0}, {}};
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.transitions.back(),
              "web: running -> starting: restarted after exit 0; 0 is in force_restart_codes");
    sim.run();
    sim.exit(ExitStatus::exited(78));
    EXPECT_EQ(sim.fakes.transitions.back(),
              "web: running -> failed: exit 78 (EX_CONFIG); 78 is in prevent_restart_codes");
    EXPECT_EQ(sim.web().past_run()->end_cause, "exit 78 (EX_CONFIG); 78 is in prevent_restart_codes");
    sim.start();
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.fakes.transitions.back(), "web: stopping -> stopped: stop asked; killed by SIGTERM")
        << "of a run that was to end no code decides";
}

TEST(Instance, IsReadyAsAOneshotOnlyWhenItHasEndedWell) {
    JobSpec spec;
    spec.type = JobType::Oneshot;
    Sim sim(spec);
    sim.start();
    sim.run();
    EXPECT_FALSE(sim.web().ready());
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Exited);
    EXPECT_TRUE(sim.web().ready());
}

TEST(Instance, StopsBySignalAndKillsAfterTheTimeout) {
    Sim sim;
    sim.start();
    sim.run();
    sim.stop();
    EXPECT_EQ(sim.state(), State::Stopping);
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"spawn web", "signal 15", "kill tree"}));
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_EQ(sim.web().cause(), "stop asked; killed by SIGKILL (did not end within stop_timeout, 10s)");
}

TEST(Instance, SendsFurtherStopSignalsAfterTheirPauses) {
    JobSpec spec;
    spec.stop_signal = SIGINT;
    spec.stop_steps = {{2s, SIGTERM}, {3s, SIGQUIT}};
    Sim sim(spec);
    sim.start();
    sim.run();
    const auto begun = sim.fakes.now;
    sim.stop();
    sim.fire(TimerKind::StopStep);
    EXPECT_EQ(sim.fakes.now, begun + 2s);
    sim.fire(TimerKind::StopStep);
    EXPECT_EQ(sim.fakes.now, begun + 5s);
    EXPECT_EQ(sim.fakes.timer(TimerKind::StopStep), nullptr);
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.now, begun + 10s);
    EXPECT_EQ(sim.fakes.calls,
              (std::vector<std::string>{"spawn web", "signal 2", "signal 15", "signal 3", "kill tree"}));
}

TEST(Instance, BeginsWithTheFirstStopSignalInEachStop) {
    JobSpec spec;
    spec.stop_steps = {{2s, SIGINT}, {2s, SIGQUIT}};
    Sim sim(spec);
    for (int i = 0; i < 2; ++i) {
        sim.start();
        sim.run();
        sim.fakes.calls.clear();
        sim.stop();
        sim.fire(TimerKind::StopStep);
        sim.exit(ExitStatus::killed(SIGINT));
        EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"signal 15", "signal 2"}));
        EXPECT_TRUE(sim.fakes.timers.empty());
    }
}

TEST(Instance, FollowsItsPolicyAgainAfterAStopAndAStart) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.state(), State::Failed);
}

TEST(Instance, DoesNotComeBackWhenStoppedBetweenDeathAndRestart) {
    Sim sim;
    sim.start();
    for (int i = 0; i < 2; ++i) {
        sim.run();
        sim.exit(ExitStatus::exited(1));
    }
    ASSERT_EQ(sim.state(), State::Backoff);
    sim.stop();
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_TRUE(sim.fakes.timers.empty());
}

TEST(Instance, StartsAgainOnlyWhenTheTreeIsEmpty) {
    Sim sim;
    sim.start();
    sim.run();
    sim.supervisor.restart(sim.id, "restart asked", sim.fakes.now);
    sim.exit(ExitStatus::killed(SIGTERM), false);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.fakes.calls.back(), "signal all 15") << "what remains of an ordered stop is told, and has time";
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
}

TEST(Instance, KillsWhatAnUnaskedEndLeavesBehind) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0), false);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.fakes.calls.back(), "kill tree");
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Exited);
}

TEST(Instance, RunsOnWithAdoptedOrphansUntilTheLastHasEnded) {
    JobSpec spec = with_restart(Restart::OnFailure);
    spec.orphans = Orphans::Adopt;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0), false);
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_TRUE(sim.web().adopted());
    EXPECT_EQ(sim.web().pid(), 0) << "nothing may be sent to a process that is gone";
    EXPECT_EQ(sim.web().cause(), "exit 0; runs on with what it left behind");
    EXPECT_EQ(sim.fakes.calls, std::vector<std::string>{"spawn web"});
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Exited);
}

TEST(Instance, TellsAdoptedOrphansToEndWhenItIsStopped) {
    JobSpec spec;
    spec.orphans = Orphans::Adopt;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0), false);
    sim.stop();
    EXPECT_EQ(sim.fakes.calls.back(), "signal all 15");
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "kill tree");
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(Instance, LeavesIgnoredOrphansAndStartsBesideThem) {
    JobSpec spec = with_restart(Restart::Always);
    spec.orphans = Orphans::Ignore;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.pass(20s);
    const auto first = sim.fakes.last_incarnation;
    sim.exit(ExitStatus::exited(0), false);
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"spawn web", "abandon", "spawn web"}));
    sim.supervisor.tree_empty(first, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Starting) << "what becomes of them is no business of the new run";
}

TEST(Instance, WithStopScopeMainDoesNotWaitForTheOthers) {
    JobSpec spec;
    spec.stop_scope = StopScope::Main;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM), false);
    EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"spawn web", "signal 15", "kill tree"}));
}

TEST(Instance, SendsTheStopSignalToAllWhereAskedTo) {
    JobSpec spec;
    spec.stop_signal_to = SignalTo::All;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM), false);
    EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"spawn web", "signal all 15"})) << "told once";
}

TEST(Instance, StandsStillWhilePaused) {
    JobSpec spec;
    spec.run_timeout = 60s;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.pass(20s);
    EXPECT_TRUE(sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now));
    EXPECT_EQ(sim.state(), State::Paused);
    EXPECT_FALSE(sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now));
    EXPECT_TRUE(sim.fakes.timers.empty());
    sim.pass(30s);
    EXPECT_TRUE(sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now));
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_EQ(sim.fakes.timer(TimerKind::RunTimeout)->when, sim.fakes.now + 10s);
    EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"spawn web", "pause", "go on"}));
}

TEST(Instance, GoesOnWhenItIsStoppedWhilePaused) {
    Sim sim;
    sim.start();
    sim.run();
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    sim.stop();
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.fakes.calls, (std::vector<std::string>{"spawn web", "pause", "signal 15", "go on"}));
}

TEST(Instance, IsStoppedWhenItNeglectsMoreZombiesThanItMay) {
    JobSpec spec = with_restart(Restart::No);
    spec.zombie_limit = 3;
    Sim sim(spec);
    sim.start();
    sim.run();
    const auto begun = sim.fakes.now;
    sim.fire(TimerKind::ZombieCheck);
    EXPECT_EQ(sim.fakes.now, begun + 10s);
    EXPECT_EQ(sim.fakes.calls.back(), "count zombies");
    sim.supervisor.zombies_counted(sim.fakes.last_incarnation, 3, "411 (web)", sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Running);
    sim.fire(TimerKind::ZombieCheck);
    sim.supervisor.zombies_counted(sim.fakes.last_incarnation, 4, "411 (web)", sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(),
              "zombie_limit (3) passed: 4 processes were not collected, most of them by 411 (web), exit 0");
}

TEST(Instance, SaysWhichStepOfAStartFailed) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.supervisor.spawned(sim.fakes.last_incarnation, 411, sim.fakes.now);
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "cannot exec /usr/bin/web: No such file or directory");
    EXPECT_FALSE(sim.web().last_run().has_value());
}

TEST(Instance, SaysWhatItsProvisionsFailedWith) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Credentials, ENOENT, sim.fakes.now,
                               "cannot read credential 'key' from /k: No such file or directory");
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "cannot read credential 'key' from /k: No such file or directory");
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.web().cause(), "cannot exec /usr/bin/web: No such file or directory");
}

TEST(Instance, IsNotStartedAgainWhenItAsksForWhatCannotBeEnforced) {
    auto spec = with_restart(Restart::Always);
    spec.essential = true;
    Sim sim(spec);
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Enforce, EPERM, sim.fakes.now,
                               "cannot enforce limits.nice = -5: not permitted");
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "cannot enforce limits.nice = -5: not permitted");
    EXPECT_EQ(sim.fakes.end_codes, std::vector{126});
}

TEST(Instance, IsKilledWhenItDoesNotExecuteInTime) {
    JobSpec spec = with_restart(Restart::No);
    spec.start_timeout = 5s;
    Sim sim(spec);
    sim.start();
    sim.supervisor.spawned(sim.fakes.last_incarnation, 411, sim.fakes.now);
    sim.fire(TimerKind::StartTimeout);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.fakes.calls.back(), "kill tree");
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "start_timeout passed, killed by SIGKILL");
}

TEST(Instance, IsStoppedByRunTimeoutAndCountsAsFailed) {
    JobSpec spec = with_restart(Restart::No);
    spec.run_timeout = 60s;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.fire(TimerKind::RunTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Failed);
}

TEST(Instance, EndsTheDaemonWithItsCodeWhenEssential) {
    JobSpec spec = with_restart(Restart::No);
    spec.essential = true;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.end_codes, std::vector<int>{137});
}

TEST(Instance, DoesNotEndTheDaemonWhenAnEssentialJobIsStoppedByOrder) {
    JobSpec spec = with_restart(Restart::No);
    spec.essential = true;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_TRUE(sim.fakes.end_codes.empty());
}

TEST(Instance, DropsATimerOfAnEarlierStop) {
    Sim sim;
    sim.start();
    sim.run();
    sim.stop();
    const auto stale = *sim.fakes.timer(TimerKind::StopTimeout);
    sim.exit(ExitStatus::killed(SIGTERM));
    sim.start();
    sim.run();
    sim.stop();
    sim.supervisor.timer_fired(stale.id, stale.kind, stale.generation, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15") << "no SIGKILL from the stop before";
}

TEST(Instance, KeepsTheLastSixteenChanges) {
    Sim sim;
    for (int i = 0; i < 20; ++i) {
        sim.start();
        sim.run();
        sim.stop();
        sim.exit(ExitStatus::killed(SIGTERM));
    }
    EXPECT_EQ(sim.web().history().size(), Instance::kHistory);
    EXPECT_EQ(sim.web().history().back().to, State::Stopped);
}

TEST(Instance, RecordsWhatARunTookWithTheChangeThatEndsIt) {
    Sim sim(with_restart(Restart::Always));
    sim.start();
    sim.run();
    const auto ended = sim.fakes.now += 2s;
    sim.exit(ExitStatus::exited(3), true, {20ms, {2, 5ms}});
    const auto& entry = sim.web().history().back();
    EXPECT_EQ(entry.to, State::Starting);
    ASSERT_TRUE(entry.run);
    EXPECT_EQ(entry.run->pid, 411);
    EXPECT_EQ(entry.run->when, ended);
    EXPECT_EQ(entry.run->status, ExitStatus::exited(3));
    EXPECT_EQ(entry.run->account.main_cpu, 20ms);
    EXPECT_EQ(entry.run->account.orphans.count, 2u);
    sim.run();
    EXPECT_FALSE(sim.web().history().back().run) << "the next run has not ended";
}

TEST(Instance, RecordsARunOnceWhenItsTreeIsEmptyAndEndedWhenItsMainProcessDid) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    const auto ended = sim.fakes.now;
    sim.exit(ExitStatus::exited(0), false, {20ms, {}});
    EXPECT_FALSE(sim.web().history().back().run);
    sim.pass(1s);
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now, {20ms, {7, 30ms}});
    const auto& entry = sim.web().history().back();
    ASSERT_TRUE(entry.run);
    EXPECT_EQ(entry.run->when, ended);
    EXPECT_EQ(entry.run->account.orphans.count, 7u);
    EXPECT_EQ(entry.run->account.orphans.cpu, 30ms);
}

TEST(Instance, RecordsNoRunForAStartThatFailed) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_FALSE(sim.web().history().back().run);
}

TEST(Instance, TellsWhyARunWasBegunAndEndedAndWhen) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.pass(1s);
    sim.run();
    const auto began = sim.fakes.now;
    EXPECT_EQ(sim.web().began(), began);
    EXPECT_EQ(sim.web().start_cause(), "start asked");
    EXPECT_EQ(sim.web().past_run(), nullptr);
    sim.pass(5s);
    sim.exit(ExitStatus::killed(SIGSEGV));
    ASSERT_NE(sim.web().past_run(), nullptr);
    EXPECT_EQ(sim.web().past_run()->began, began);
    EXPECT_EQ(sim.web().past_run()->ended, began + 5s);
    EXPECT_EQ(sim.web().past_run()->start_cause, "start asked");
    EXPECT_EQ(sim.web().past_run()->end_cause, "killed by SIGSEGV");
}

TEST(Instance, TellsOfAPastRunTheFirstOrderThatEndedIt) {
    Sim sim;
    sim.start();
    sim.run();
    sim.stop();
    sim.start();
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.web().past_run()->end_cause, "stop asked; killed by SIGTERM");
    EXPECT_EQ(sim.state(), State::Starting) << "as the newest order was";
    sim.run();
    sim.exit(ExitStatus::exited(3));
    EXPECT_EQ(sim.web().past_run()->end_cause, "exit 3") << "nothing of the run before";
}

TEST(Instance, TellsOfAStartThatFailedWhenItWasBegun) {
    Sim sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    sim.pass(1s);
    const auto begun = sim.fakes.now;
    sim.start();
    sim.pass(1s);
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.web().past_run()->began, begun);
    EXPECT_EQ(sim.web().past_run()->ended, begun + 1s);
    EXPECT_EQ(sim.web().past_run()->end_cause, "cannot exec /usr/bin/web: No such file or directory");
}

TEST(Instance, TellsOfEachStartOnceWhatHasBecomeOfIt) {
    Sim sim(with_restart(Restart::Always));
    sim.start();
    sim.run();
    sim.pass(10s);
    sim.exit(ExitStatus::exited(3));
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM));
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.fakes.past_runs, (std::vector<std::string>{"exit 3", "stop asked; killed by SIGTERM",
                                                             "cannot exec /usr/bin/web: No such file or directory"}));
}

JobSpec with_memory_max(Restart when) {
    auto spec = with_restart(when);
    spec.tree_limits = {{TreeLimit::Kind::MemoryMax, 64u << 20}};
    return spec;
}

Account killed_for_memory(std::uint64_t count, bool by_limit) {
    Account account;
    account.oom = {count, by_limit};
    return account;
}

TEST(Instance, ThatTheKernelKillsForWantOfMemorySaysSo) {
    Sim sim(with_memory_max(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::killed(SIGKILL), true, killed_for_memory(3, true));
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "killed by SIGKILL: out of memory (memory_max = 64MiB)");
    EXPECT_TRUE(sim.web().last_run()->out_of_memory);
}

TEST(Instance, ThatIsKilledBecauseTheMachineHasNoMemorySaysSo) {
    Sim sim(with_memory_max(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::killed(SIGKILL), true, killed_for_memory(1, false));
    EXPECT_EQ(sim.web().cause(), "killed by SIGKILL: by the kernel's OOM killer");
    EXPECT_TRUE(sim.web().last_run()->out_of_memory);
}

TEST(Instance, OutOfMemoryHasFailedWhateverCountsAsSuccess) {
    for (const auto when : {Restart::OnFailure, Restart::OnAbnormal}) {
        auto spec = with_memory_max(when);
        spec.restart.success.signals = {SIGKILL};
        Sim sim(spec);
        sim.start();
        sim.run();
        sim.exit(ExitStatus::killed(SIGKILL), true, killed_for_memory(1, true));
        EXPECT_EQ(sim.state(), State::Starting);
        EXPECT_EQ(sim.web().cause(), "restarted after killed by SIGKILL: out of memory (memory_max = 64MiB)");
    }
}

TEST(Instance, WhoseChildAloneIsKilledForWantOfMemoryEndsInItsOwnWay) {
    Sim sim(with_memory_max(Restart::OnFailure));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0), true, killed_for_memory(2, true));
    EXPECT_EQ(sim.state(), State::Exited);
    EXPECT_EQ(sim.web().cause(), "exit 0 (2 of its processes killed: out of memory (memory_max = 64MiB))");
    EXPECT_FALSE(sim.web().last_run()->out_of_memory);
}

TEST(Instance, ThatIsKilledInAStopIsNotKilledForWantOfMemory) {
    Sim sim(with_memory_max(Restart::No));
    sim.start();
    sim.run();
    sim.stop();
    sim.fire(TimerKind::StopTimeout);
    sim.exit(ExitStatus::killed(SIGKILL), true, killed_for_memory(1, true));
    EXPECT_FALSE(sim.web().last_run()->out_of_memory);
}

TEST(Instance, OutOfMemoryTellsItAlsoWhileOthersOfItsTreeEnd) {
    Sim sim(with_memory_max(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::killed(SIGKILL), false, killed_for_memory(1, true));
    EXPECT_EQ(sim.web().cause(), "killed by SIGKILL: out of memory (memory_max = 64MiB); ending what it left behind");
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now, killed_for_memory(2, true));
    EXPECT_EQ(sim.web().cause(), "killed by SIGKILL: out of memory (memory_max = 64MiB)");
    EXPECT_TRUE(sim.web().last_run()->out_of_memory);
}

TEST(Stop, TellsAnotherProcessThatBecomesTheMainOne) {
    Sim sim;
    sim.start();
    sim.run();
    sim.stop();
    sim.fakes.calls.clear();
    sim.supervisor.spawned(sim.fakes.last_incarnation, 411, sim.fakes.now);
    EXPECT_TRUE(sim.fakes.calls.empty());
    sim.supervisor.spawned(sim.fakes.last_incarnation, 400, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, std::vector<std::string>{"signal 15"});
}

TEST(Instance, KnowsWhenItIsKilledOnlyWhileItEnds) {
    Sim sim;
    sim.start();
    sim.run();
    EXPECT_EQ(sim.web().kill_due(), kNever);
    sim.stop();
    EXPECT_EQ(sim.web().kill_due(), sim.fakes.now + sim.web().spec().stop_timeout);
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.web().kill_due(), kNever);
}

TEST(Instance, IsNeverKilledWithoutAStopTimeout) {
    JobSpec spec;
    spec.stop_timeout = kForever;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.web().kill_due(), kNever);
}

TEST(Instance, KnowsThatItIsStartedAgainAfterAStopWhoeverAskedLast) {
    Sim sim;
    sim.start();
    sim.run();
    sim.stop();
    EXPECT_FALSE(sim.web().starts_again());
    sim.start();
    EXPECT_TRUE(sim.web().starts_again());
    sim.stop();
    EXPECT_FALSE(sim.web().starts_again());
    sim.supervisor.restart(sim.id, "restart asked", sim.fakes.now);
    EXPECT_TRUE(sim.web().starts_again());
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_FALSE(sim.web().starts_again());
}

TEST(Instance, RunsSinceItsStartWhateverItWasMeanwhile) {
    JobSpec spec;
    spec.readiness.kind = Readiness::Kind::Notify;
    Sim sim(spec);
    sim.start();
    sim.run();
    const auto began = sim.fakes.now;
    sim.supervisor.noticed(sim.fakes.last_incarnation, {.ready = true}, sim.fakes.now);
    EXPECT_FALSE(sim.web().tells_of_later());
    sim.pass(1min);
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    EXPECT_EQ(sim.web().since(), began);
    EXPECT_EQ(sim.web().state_since(), began + 1min);
    EXPECT_TRUE(sim.web().tells_of_later());
    sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now);
    sim.pass(1min);
    sim.supervisor.noticed(sim.fakes.last_incarnation, {.reloading = true}, sim.fakes.now);
    ASSERT_EQ(sim.state(), State::Reloading);
    sim.supervisor.noticed(sim.fakes.last_incarnation, {.ready = true}, sim.fakes.now);
    ASSERT_EQ(sim.state(), State::Running);
    EXPECT_EQ(sim.web().since(), began);
    EXPECT_EQ(sim.web().state_since(), began + 2min);
    sim.stop();
    EXPECT_EQ(sim.web().since(), began + 2min);
}

}  // namespace
}  // namespace procsup
