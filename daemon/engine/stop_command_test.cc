#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

JobSpec with_stop_command(Restart when = Restart::No) {
    JobSpec spec = with_restart(when);
    spec.stop_command = {{"ask_to_end"}, "/bin/ask_to_end"};
    return spec;
}

/// "web" runs, and is asked to stop; what was called since.
class Stopping : public Sim {
public:
    explicit Stopping(JobSpec spec = with_stop_command()) : Sim(std::move(spec)) {
        start();
        run();
        fakes.calls.clear();
        begun = fakes.now;
        stop();
        EXPECT_EQ(state(), State::Stopping);
    }
    const std::string& told() const { return fakes.transitions.back(); }

    TimePoint begun;
};

TEST(StopCommand, RunsInsteadOfTheStopSignal) {
    Stopping sim;
    EXPECT_EQ(sim.fakes.calls, Calls{"run ask_to_end for pid 411"});
    EXPECT_EQ(sim.told(), "web: running -> stopping: stop asked; running stop_command");
    sim.beside_runs();
    EXPECT_EQ(sim.web().pid(), 411) << "what it spawned is not the main process";
    sim.pass(1s);
    EXPECT_EQ(sim.web().cause(), "stop asked; running stop_command");
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.web().cause(), "stop asked");
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; exit 0");
    EXPECT_EQ(sim.fakes.calls.size(), 1u);
}

TEST(StopCommand, GetsNoSignalThatTheMainProcessCanHave) {
    Stopping sim;
    sim.beside_runs();
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr);
    EXPECT_TRUE(sim.supervisor.signal(sim.id, SIGTERM));
}

TEST(StopCommand, IsPartOfTheTimeAfterWhichTheJobIsKilled) {
    Stopping sim;
    sim.beside_runs();
    EXPECT_EQ(sim.web().kill_due(), sim.begun + 10s);
    EXPECT_EQ(sim.web().sides().front().began, sim.begun);
    EXPECT_EQ(sim.web().told().signal, 0);
    sim.pass(4s);
    sim.beside_exit(ExitStatus::exited(3));
    EXPECT_EQ(sim.web().told().signal, SIGTERM);
    EXPECT_EQ(sim.web().told().when, sim.begun + 4s);
    EXPECT_EQ(sim.web().kill_due(), sim.begun + 10s);
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.web().told().signal, SIGKILL);
    EXPECT_EQ(sim.web().kill_due(), kNever);
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.web().told().signal, 0);
}

TEST(StopCommand, LeavesTheJobTheTimeThatIsLeftOfStopTimeout) {
    Stopping sim;
    sim.beside_runs();
    sim.pass(4s);
    sim.beside_exit(ExitStatus::exited(0));
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.now, sim.begun + 10s);
    EXPECT_EQ(sim.fakes.calls.back(), "kill tree");
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.web().cause(), "stop asked; killed by SIGKILL (did not end within stop_timeout, 10s)");
}

TEST(StopCommand, ThatCannotBeStartedGivesWayToTheStopSignals) {
    JobSpec spec = with_stop_command();
    spec.stop_signal = SIGINT;
    spec.stop_steps = {{2s, SIGTERM}};
    Stopping sim(spec);
    sim.supervisor.not_started(sim.fakes.last_beside, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.told(),
              "web: stopping -> stopping: stop_command failed: cannot exec /bin/ask_to_end: No such file or directory; "
              "sending SIGINT instead");
    sim.fire(TimerKind::StopStep);
    EXPECT_EQ(sim.fakes.calls, (Calls{"run ask_to_end for pid 411", "signal 2", "signal 15"}));
    EXPECT_EQ(sim.fakes.timer(TimerKind::StopTimeout)->when, sim.begun + 10s);
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.web().cause(),
              "stop asked; killed by SIGTERM (stop_command failed: cannot exec /bin/ask_to_end: No such file or "
              "directory)");
}

TEST(StopCommand, ThatFailsGivesWayToTheStopSignals) {
    for (const auto status : {ExitStatus::exited(3), ExitStatus::killed(SIGSEGV)}) {
        Stopping sim;
        sim.beside_runs();
        sim.beside_exit(status);
        EXPECT_EQ(sim.told(),
                  "web: stopping -> stopping: stop_command failed: " + to_text(status) + "; sending SIGTERM instead");
        EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
        sim.exit(ExitStatus::killed(SIGTERM));
        EXPECT_EQ(sim.state(), State::Stopped);
    }
}

TEST(StopCommand, IsKilledWithTheJobWhenStopTimeoutHasPassed) {
    Stopping sim;
    sim.beside_runs();
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls, (Calls{"run ask_to_end for pid 411", "kill tree", "kill beside"}));
    EXPECT_TRUE(sim.supervisor.kills_remainder(sim.fakes.last_beside));
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.calls.size(), 3u) << "no stop signal for what was killed";
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(StopCommand, IsEndedWhenTheJobHasEndedAndTheStopIsOverOnlyThen) {
    Stopping sim;
    sim.beside_runs();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    EXPECT_EQ(sim.told(), "web: stopping -> stopping: exit 0; ending stop_command");
    EXPECT_TRUE(sim.fakes.timers.empty());
    EXPECT_EQ(sim.web().runs_ended(), 0u);
    sim.beside_exit(ExitStatus::killed(SIGKILL), false);
    EXPECT_EQ(sim.state(), State::Stopping);
    sim.supervisor.tree_empty(sim.fakes.last_beside, sim.fakes.now);
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked; exit 0");
    EXPECT_EQ(sim.web().runs_ended(), 1u);
}

TEST(StopCommand, MayLeaveSomethingBehindUntilTheStopIsOver) {
    Stopping sim;
    sim.beside_runs();
    EXPECT_FALSE(sim.supervisor.kills_remainder(sim.fakes.last_beside));
    sim.beside_exit(ExitStatus::exited(0), false);
    EXPECT_EQ(sim.fakes.calls, Calls{"run ask_to_end for pid 411"});
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    sim.supervisor.tree_empty(sim.fakes.last_beside, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(StopCommand, IsNoLongerThereWhenTheNextRunBegins) {
    Sim sim(with_stop_command());
    sim.start();
    sim.run();
    sim.supervisor.restart(sim.id, "restart asked", sim.fakes.now);
    sim.beside_runs();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls, (Calls{"spawn web", "run ask_to_end for pid 411", "kill beside"}));
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
    EXPECT_EQ(sim.state(), State::Starting);
}

TEST(StopCommand, RunsForARunThatALimitOfItsOwnEnds) {
    JobSpec spec = with_stop_command();
    spec.run_timeout = 60s;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.fire(TimerKind::RunTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "run ask_to_end for pid 411");
    sim.exit(ExitStatus::exited(0));
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().exit_code(), 124);
}

TEST(StopCommand, RunsWhenAPausedJobGoesOn) {
    Sim sim(with_stop_command());
    sim.start();
    sim.run();
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, (Calls{"spawn web", "pause", "go on", "run ask_to_end for pid 411"}));
}

TEST(StopCommand, DoesNotRunForAProgramThatHasNotBegun) {
    Sim sim(with_stop_command());
    sim.start();
    sim.supervisor.spawned(sim.fakes.last_incarnation, 411, sim.fakes.now);
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, (Calls{"spawn web", "signal 15"}));
}

TEST(StopCommand, DoesNotRunWhereThereIsNoTimeForIt) {
    JobSpec spec = with_stop_command();
    spec.stop_timeout = Duration::zero();
    Stopping sim(spec);
    EXPECT_EQ(sim.fakes.calls, Calls{"signal 15"});
}

TEST(StopCommand, DoesNotRunWhenTheMainProcessHasEndedByItself) {
    Sim sim(with_stop_command());
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(1), false);
    EXPECT_EQ(sim.fakes.calls, (Calls{"spawn web", "kill tree"}));
}

TEST(StopCommand, IsForAdoptedProcessesToo) {
    JobSpec spec = with_stop_command();
    spec.orphans = Orphans::Adopt;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0), false);
    sim.stop();
    EXPECT_EQ(sim.fakes.calls.back(), "run ask_to_end for pid 0");
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.fakes.calls.back(), "signal all 15");
    sim.supervisor.tree_empty(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(StopCommand, ThatFailsLateDoesNotRepeatTheSignalsForWhatTheMainProcessHasLeft) {
    for (const auto to : {SignalTo::Main, SignalTo::All}) {
        JobSpec spec = with_stop_command();
        spec.stop_signal_to = to;
        Stopping sim(spec);
        sim.beside_runs();
        sim.exit(ExitStatus::exited(0), false);
        EXPECT_EQ(sim.fakes.calls.back(), "signal all 15");
        sim.beside_exit(ExitStatus::exited(1));
        EXPECT_EQ(sim.fakes.calls, (Calls{"run ask_to_end for pid 411", "signal all 15"}));
    }
}

TEST(StopCommand, EndsWithEverythingElseWhenAllIsKilled) {
    Stopping sim;
    sim.beside_runs();
    sim.supervisor.kill_all();
    EXPECT_EQ(sim.fakes.calls, (Calls{"run ask_to_end for pid 411", "kill tree", "kill beside"}));
    EXPECT_FALSE(sim.supervisor.idle());
    sim.exit(ExitStatus::killed(SIGKILL));
    EXPECT_FALSE(sim.supervisor.idle());
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_TRUE(sim.supervisor.idle());
}

TEST(StopCommand, OfAnEarlierStopIsNotListenedTo) {
    Stopping sim;
    const auto earlier = sim.fakes.last_beside;
    sim.beside_exit(ExitStatus::exited(0));
    sim.exit(ExitStatus::exited(0));
    sim.start();
    sim.run();
    sim.stop();
    sim.supervisor.exited(earlier, ExitStatus::exited(1), true, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "run ask_to_end for pid 411");
}

}  // namespace
}  // namespace procsup
