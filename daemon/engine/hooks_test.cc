#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

JobSpec with_hooks(std::initializer_list<Hook> hooks, Restart when = Restart::No) {
    JobSpec spec = with_restart(when);
    for (const auto hook : hooks) spec.hooks.push_back({hook, {{std::string(word_of(hook))}, "/bin/hook"}});
    return spec;
}

/// "web" with hooks; what is called is in fakes.calls.
class Hooked : public Sim {
public:
    explicit Hooked(std::initializer_list<Hook> hooks, Restart when = Restart::No) : Sim(with_hooks(hooks, when)) {}
    explicit Hooked(const JobSpec& spec) : Sim(spec) {}

    /// It is started and runs.
    void bring_up() {
        start();
        run();
        fakes.calls.clear();
    }
    /// The command beside it runs and ends.
    void beside(ExitStatus status = ExitStatus::exited(0)) {
        beside_runs();
        beside_exit(status);
    }
    const std::string& told() const { return fakes.transitions.back(); }
};

TEST(PreStart, RunsBeforeTheProgram) {
    Hooked sim({Hook::PreStart});
    sim.start();
    EXPECT_EQ(sim.told(), "web: stopped -> starting: start asked; running pre_start");
    EXPECT_EQ(sim.fakes.calls, Calls{"run pre_start for pid 0"});
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0), false);
    EXPECT_EQ(sim.fakes.calls, (Calls{"run pre_start for pid 0", "kill beside"})) << "something of it is left";
    sim.supervisor.tree_empty(sim.fakes.last_beside, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
    EXPECT_EQ(sim.fakes.last_incarnation, sim.fakes.beside_of) << "it was run for what follows";
    sim.run();
    EXPECT_EQ(sim.told(), "web: starting -> running: start asked");
}

TEST(PreStart, ThatFailsMakesTheStartFail) {
    Hooked sim({Hook::PreStart});
    sim.start();
    sim.beside(ExitStatus::exited(3));
    EXPECT_EQ(sim.told(), "web: starting -> failed: pre_start failed: exit 3");
    EXPECT_EQ(sim.fakes.calls.size(), 1u);
}

TEST(PreStart, ThatFailsIsTriedAgainByThePolicy) {
    Hooked sim({Hook::PreStart}, Restart::OnFailure);
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_beside, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.web().cause(),
              "restarted after pre_start failed: cannot exec /bin/hook: No such file or directory; running pre_start");
    sim.beside(ExitStatus::exited(1));
    EXPECT_EQ(sim.state(), State::Backoff);
    sim.fire(TimerKind::Backoff);
    EXPECT_EQ(sim.fakes.calls,
              (Calls{"run pre_start for pid 0", "run pre_start for pid 0", "run pre_start for pid 0"}));
}

TEST(PreStart, ThatHangsIsKilledAfterStartTimeout) {
    Hooked sim({Hook::PreStart});
    sim.start();
    sim.beside_runs();
    sim.fire(TimerKind::StartTimeout);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.told(), "web: stopping -> failed: start_timeout passed while pre_start ran, pre_start was ended");
    EXPECT_EQ(sim.web().exit_code(), 124);
}

TEST(PreStart, IsFollowedByARunOfTheTextOfThen) {
    Hooked sim({Hook::PreStart});
    sim.start();
    auto spec = sim.web().spec();
    spec.stop_timeout = 3s;
    sim.supervisor.configure({spec}, sim.fakes.now, Restarts::Now);
    const auto* const text = &sim.web().spec();
    sim.beside();
    EXPECT_EQ(sim.fakes.last_spec, text);
    spec.stop_timeout = 4s;
    for (int i = 0; i < 3; ++i) {
        spec.stop_timeout += 1s;
        sim.supervisor.configure({spec}, sim.fakes.now, Restarts::Now);
    }
    EXPECT_EQ(sim.fakes.last_spec->stop_timeout, 3s) << "what was spawned is still there";
}

TEST(PreStart, IsToldToEndWhenTheJobIsStopped) {
    Hooked sim({Hook::PreStart});
    sim.start();
    sim.beside_runs();
    sim.stop();
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
    EXPECT_EQ(sim.state(), State::Stopping);
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; pre_start was ended");
    EXPECT_TRUE(sim.fakes.timers.empty());
}

TEST(PostStart, HoldsReadinessUntilItHasEndedWell) {
    Hooked sim({Hook::PostStart});
    sim.start();
    sim.run();
    EXPECT_EQ(sim.fakes.calls.back(), "run post_start for pid 411");
    EXPECT_FALSE(sim.web().ready());
    sim.pass(2s);
    sim.beside();
    EXPECT_TRUE(sim.web().ready());
    EXPECT_EQ(sim.told(), "web: running -> running: start asked, ready after 2s");
    EXPECT_TRUE(sim.fakes.timers.empty());
}

TEST(PostStart, WaitsForWhatReadySays) {
    auto spec = with_hooks({Hook::PostStart});
    spec.readiness.kind = Readiness::Kind::Notify;
    spec.readiness.timeout = 5s;
    Hooked sim(spec);
    sim.start();
    sim.supervisor.spawned(sim.fakes.last_incarnation, 411, sim.fakes.now);
    sim.supervisor.became_ready(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, Calls{"spawn web"}) << "told before its program ran";
    sim.supervisor.execed(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "run post_start for pid 411");
    EXPECT_EQ(sim.fakes.timer(TimerKind::ReadyTimeout), nullptr);
    sim.beside();
    EXPECT_TRUE(sim.web().ready());
}

TEST(PostStart, ThatFailsEndsTheRun) {
    Hooked sim({Hook::PostStart});
    sim.bring_up();
    sim.beside(ExitStatus::exited(4));
    EXPECT_EQ(sim.told(), "web: running -> stopping: post_start failed: exit 4");
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.told(), "web: stopping -> failed: post_start failed: exit 4, killed by SIGTERM");
}

TEST(PostStart, ThatHangsEndsTheRun) {
    Hooked sim({Hook::PostStart});
    sim.bring_up();
    sim.beside_runs();
    sim.fire(TimerKind::StartTimeout);
    EXPECT_EQ(sim.fakes.calls, (Calls{"kill beside", "signal 15"}));
    EXPECT_EQ(sim.told(), "web: running -> stopping: post_start did not end within start_timeout (1min 30s)");
}

TEST(PostStart, OfAJobThatStandsStillWaits) {
    auto spec = with_hooks({Hook::PostStart});
    spec.readiness.kind = Readiness::Kind::Notify;
    Hooked sim(spec);
    sim.bring_up();
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    sim.supervisor.became_ready(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, Calls{"pause"});
    sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, (Calls{"pause", "go on", "run post_start for pid 411"}));
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now);
    EXPECT_NE(sim.fakes.timer(TimerKind::StartTimeout), nullptr);
}

TEST(PreStop, RunsBeforeTheJobIsToldToEnd) {
    Hooked sim({Hook::PreStop});
    sim.bring_up();
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, Calls{"run pre_stop for pid 411"});
    EXPECT_EQ(sim.told(), "web: running -> stopping: stop asked; running pre_stop");
    EXPECT_EQ(sim.fakes.outcome.cause, "stop asked");
    sim.beside();
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; killed by SIGTERM");
}

TEST(PreStop, ThatFailsIsToldAndChangesNothing) {
    auto spec = with_hooks({Hook::PreStop});
    spec.stop_command = {{"quit"}, "/bin/quit"};
    Hooked sim(spec);
    sim.bring_up();
    sim.stop();
    sim.beside(ExitStatus::exited(1));
    EXPECT_EQ(sim.fakes.calls.back(), "run quit for pid 411");
    sim.beside();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; exit 0 (pre_stop failed: exit 1)");
}

TEST(PreStop, ThatHangsTakesTheTimeOfTheStop) {
    Hooked sim({Hook::PreStop});
    sim.bring_up();
    sim.stop();
    sim.beside_runs();
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls, (Calls{"run pre_stop for pid 411", "kill tree", "kill beside"}));
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.calls.size(), 3u) << "nobody is left to be told";
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(PreStop, IsNotRunForAJobThatWasNeverReadyOrEndsByItself) {
    auto spec = with_hooks({Hook::PreStop});
    spec.readiness.kind = Readiness::Kind::Notify;
    Hooked sim(spec);
    sim.bring_up();
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, Calls{"signal 15"});
    Hooked other({Hook::PreStop});
    other.bring_up();
    other.exit(ExitStatus::exited(0));
    EXPECT_EQ(other.fakes.calls, Calls{});
}

TEST(PreStop, EndsWithAJobThatEndsMeanwhile) {
    Hooked sim({Hook::PreStop});
    sim.bring_up();
    sim.stop();
    sim.beside_runs();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    EXPECT_EQ(sim.state(), State::Stopping);
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; exit 0");
}

TEST(PostStop, RunsAfterEveryRunAndKnowsHowItEnded) {
    Hooked sim({Hook::PostStop}, Restart::OnFailure);
    sim.bring_up();
    sim.pass(20s);
    sim.exit(ExitStatus::killed(SIGSEGV, true));
    EXPECT_EQ(sim.told(), "web: running -> stopping: killed by SIGSEGV (core dumped); running post_stop");
    EXPECT_EQ(sim.fakes.calls, Calls{"run post_stop for pid 0"});
    EXPECT_EQ(sim.fakes.outcome.result, RunResult::CoreDump);
    EXPECT_EQ(sim.fakes.outcome.cause, "killed by SIGSEGV (core dumped)");
    EXPECT_EQ(sim.fakes.outcome.status, ExitStatus::killed(SIGSEGV, true));
    sim.beside();
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
    EXPECT_EQ(sim.told(), "web: stopping -> starting: restarted after killed by SIGSEGV (core dumped)");
}

TEST(PostStop, DoesNotHideThatTheRunHasFailed) {
    Hooked sim({Hook::PostStop}, Restart::OnFailure);
    sim.bring_up();
    sim.exit(ExitStatus::exited(1));
    EXPECT_TRUE(sim.fakes.failed_runs.empty()) << "it is not over";
    sim.beside();
    ASSERT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.fakes.failed_runs, Calls{"web: exit 1"});
    sim.run();
    sim.supervisor.restart(sim.id, "restart asked", sim.fakes.now);
    sim.exit(ExitStatus::exited(1));
    sim.beside();
    ASSERT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.fakes.failed_runs.size(), 1u) << "that end was asked for";
}

TEST(PostStop, ThatFailsOrHangsIsToldAndChangesNothing) {
    Hooked sim({Hook::PostStop});
    sim.bring_up();
    sim.stop();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.outcome.result, RunResult::Success);
    sim.beside_runs();
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; exit 0 (post_stop failed: killed by SIGKILL)");
}

TEST(PostStop, GetsSignalsWhereNoMainProcessIs) {
    Hooked sim({Hook::PostStop});
    sim.bring_up();
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr);
    sim.exit(ExitStatus::exited(0));
    sim.beside_runs();
    ASSERT_NE(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr);
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM)->role, SideRole::PostStop);
    sim.beside_exit(ExitStatus::killed(SIGTERM), false);
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr) << "only what it has left is there";
}

TEST(OnFailed, KnowsNothingOfHowTheCommandBeforeItWasEnded) {
    Hooked sim({Hook::PostStop, Hook::OnFailed});
    sim.bring_up();
    sim.exit(ExitStatus::exited(1));
    sim.beside_runs();
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.web().told().signal, SIGKILL);
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.calls.back(), "run on_failed for pid 0");
    EXPECT_EQ(sim.web().told().signal, 0);
}

TEST(PostStop, RunsAfterAStartThatFailed) {
    Hooked sim({Hook::PostStop});
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "run post_stop for pid 0");
    EXPECT_EQ(sim.fakes.outcome.result, RunResult::StartFailed);
    sim.beside();
    EXPECT_EQ(sim.state(), State::Failed);
}

TEST(PostStop, IsToldOfACrashAlsoWhenAStopIsAskedForBeforeTheRestHasEnded) {
    Hooked sim({Hook::PostStop});
    sim.bring_up();
    sim.exit(ExitStatus::killed(SIGSEGV), false);
    sim.stop();
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "run post_stop for pid 0");
    EXPECT_EQ(sim.fakes.outcome.result, RunResult::Signal);
    sim.beside();
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(PreStop, IsFollowedByNothingWhenEverythingIsKilled) {
    auto spec = with_hooks({Hook::PreStop});
    spec.stop_command = {{"quit"}, "/bin/quit"};
    Hooked sim(spec);
    sim.bring_up();
    sim.stop();
    sim.beside_runs();
    sim.supervisor.kill_all();
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.calls, (Calls{"run pre_stop for pid 411", "kill tree", "kill beside"}));
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(PostStop, IsNotRunWhenEverythingIsKilled) {
    Hooked sim({Hook::PostStop, Hook::OnFailed});
    sim.bring_up();
    sim.supervisor.kill_all();
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.fakes.calls, Calls{"kill tree"});
}

TEST(OnFailed, RunsOnceTheJobIsGivenUp) {
    auto spec = with_hooks({Hook::PostStop, Hook::OnFailed}, Restart::OnFailure);
    spec.restart.start_limit = {1, 60s};
    spec.essential = true;
    Hooked sim(spec);
    sim.bring_up();
    sim.exit(ExitStatus::exited(1));
    sim.beside();
    sim.run();
    EXPECT_EQ(sim.fakes.calls, (Calls{"run post_stop for pid 0", "spawn web"}));
    sim.exit(ExitStatus::exited(2));
    sim.beside();
    EXPECT_EQ(sim.told(), "web: stopping -> stopping: start_limit (1/1min) reached; last: exit 2; running on_failed");
    EXPECT_EQ(sim.fakes.calls.back(), "run on_failed for pid 0");
    EXPECT_EQ(sim.fakes.outcome.cause, "start_limit (1/1min) reached; last: exit 2");
    EXPECT_EQ(sim.fakes.outcome.result, RunResult::ExitCode);
    EXPECT_TRUE(sim.fakes.end_codes.empty());
    EXPECT_EQ(sim.fakes.past_runs, std::vector<std::string>{"exit 1"});
    sim.beside(ExitStatus::exited(9));
    EXPECT_EQ(sim.fakes.past_runs, (std::vector<std::string>{"exit 1", "exit 2"}));
    EXPECT_EQ(sim.told(),
              "web: stopping -> failed: start_limit (1/1min) reached; last: exit 2 (on_failed failed: exit 9)");
    EXPECT_EQ(sim.fakes.end_codes, std::vector<int>{2});
}

TEST(OnFailed, GivesWayToAStartThatIsAskedForMeanwhile) {
    Hooked sim({Hook::OnFailed});
    sim.bring_up();
    sim.exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.fakes.calls.back(), "run on_failed for pid 0");
    sim.start();
    sim.beside();
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
    EXPECT_EQ(sim.state(), State::Starting);
}

TEST(OnFailed, IsNotStoppedAsTheRunBeforeItMayBe) {
    Hooked sim({Hook::OnFailed});
    sim.bring_up();
    sim.supervisor.noticed(sim.fakes.last_incarnation, Notice{.stopping = true}, sim.fakes.now);
    sim.exit(ExitStatus::exited(1));
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, Calls{"run on_failed for pid 0"});
    sim.beside();
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(OnFailed, IsNotRunForAStopOrASuccess) {
    Hooked sim({Hook::OnFailed});
    sim.bring_up();
    sim.stop();
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.state(), State::Stopped);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Exited);
    EXPECT_EQ(sim.fakes.calls, (Calls{"signal 15", "spawn web"}));
}

class Reloading : public Hooked {
public:
    Reloading() : Hooked(spec()) { bring_up(); }
    bool reload() { return supervisor.reload(id, "reload asked", fakes.now); }

private:
    static JobSpec spec() {
        JobSpec spec = with_restart(Restart::No);
        spec.reload_command = {{"reread"}, "/bin/reread"};
        return spec;
    }
};

TEST(ReloadCommand, RunsInsteadOfTheSignal) {
    Reloading sim;
    EXPECT_TRUE(sim.reload());
    EXPECT_EQ(sim.fakes.calls, Calls{"run reread for pid 411"});
    EXPECT_EQ(sim.told(), "web: running -> reloading: reload asked; running reload_command");
    sim.beside();
    EXPECT_EQ(sim.told(), "web: reloading -> running: reload_command has ended well");
    EXPECT_TRUE(sim.web().ready());
}

TEST(ReloadCommand, ThatFailsOrHangsLeavesTheJobRunning) {
    Reloading sim;
    sim.reload();
    sim.beside(ExitStatus::exited(1));
    EXPECT_EQ(sim.told(), "web: reloading -> running: reload_command failed: exit 1");
    sim.reload();
    sim.beside_runs();
    sim.fire(TimerKind::StartTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.told(),
              "web: reloading -> running: reload_command failed: killed by SIGKILL (did not end within start_timeout, "
              "1min 30s)");
}

TEST(ReloadCommand, IsRunOnceMoreWhenItIsAskedForMeanwhile) {
    Reloading sim;
    sim.reload();
    EXPECT_TRUE(sim.reload());
    EXPECT_TRUE(sim.reload());
    sim.beside();
    EXPECT_EQ(sim.state(), State::Reloading);
    sim.beside();
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_EQ(sim.fakes.calls.size(), 2u);
}

TEST(ReloadCommand, ThatIsTakenAwayIsNotRunOnceMore) {
    Reloading sim;
    sim.reload();
    EXPECT_TRUE(sim.reload());
    auto spec = sim.web().spec();
    spec.reload_command = {};
    sim.supervisor.configure({spec}, sim.fakes.now, Restarts::Now);
    sim.beside();
    EXPECT_EQ(sim.fakes.calls.size(), 1u);
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_EQ(sim.web().reloads().over, 2u);
    EXPECT_EQ(sim.web().reloads().failure, "it is not configured any more");
}

TEST(ReloadCommand, IsCountedWhenItIsOver) {
    Reloading sim;
    sim.reload();
    EXPECT_EQ(sim.web().newest_reload(), 1u);
    sim.reload();
    sim.reload();
    EXPECT_EQ(sim.web().newest_reload(), 2u);
    EXPECT_EQ(sim.web().reloads().over, 0u);
    sim.beside(ExitStatus::exited(1));
    EXPECT_EQ(sim.web().reloads().over, 1u);
    EXPECT_EQ(sim.web().reloads().failure, "exit 1");
    EXPECT_EQ(sim.web().newest_reload(), 2u);
    sim.beside(ExitStatus::exited(0));
    EXPECT_EQ(sim.web().reloads().over, 2u);
    EXPECT_EQ(sim.web().reloads().failure, "");
}

TEST(ReloadCommand, IsEndedByAStop) {
    Reloading sim;
    sim.reload();
    sim.beside_runs();
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, (Calls{"run reread for pid 411", "kill beside", "signal 15"}));
    sim.exit(ExitStatus::killed(SIGTERM));
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Stopped);
}

}  // namespace
}  // namespace procsup
