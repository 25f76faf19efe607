// A oneshot that has ended well is up, and goes down when it is stopped.
#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

#include "daemon/engine/instance_fixture.h"
#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;
using OnRestart = Requirement::OnRestart;

JobSpec oneshot(std::string stop_command = "") {
    JobSpec spec = with_restart(Restart::OnFailure);
    spec.type = JobType::Oneshot;
    if (!stop_command.empty()) spec.stop_command = {{stop_command}, "/bin/" + stop_command};
    return spec;
}

JobSpec named(const std::string& name, JobSpec spec) {
    spec.name = name;
    spec.command = {"/bin/" + name};
    return spec;
}

/// "web" has ended well; what was called since.
class Done : public Sim {
public:
    explicit Done(JobSpec spec = oneshot()) : Sim(std::move(spec)) {
        start();
        run();
        exit(ExitStatus::exited(0));
        EXPECT_TRUE(web().ready());
        fakes.calls.clear();
    }
    const std::string& told() const { return fakes.transitions.back(); }
};

TEST(ADoneOneshot, IsStoppedByAStop) {
    Done sim;
    sim.stop();
    EXPECT_EQ(sim.told(), "web: exited -> stopped: stop asked");
    EXPECT_FALSE(sim.web().ready());
    EXPECT_TRUE(sim.web().stopped_by_order());
    sim.start();
    EXPECT_EQ(sim.fakes.calls, Calls{"spawn web"});
}

TEST(ADoneOneshot, StaysUpAfterAReset) {
    Done sim;
    sim.supervisor.reset(sim.id, "reset asked", sim.fakes.now);
    EXPECT_TRUE(sim.web().ready());
}

TEST(ADoneOneshot, RunsAgainByARestart) {
    Done sim;
    sim.supervisor.restart({sim.id}, "restart asked", sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, Calls{"spawn web"});
    EXPECT_EQ(sim.told(), "web: exited -> starting: restart asked");
}

TEST(ADoneOneshot, IsUpAndNotRunAgainByAStart) {
    for (const auto* stop_command : {"", "undo"}) {
        Done sim{oneshot(stop_command)};
        const auto transitions = sim.fakes.transitions.size();
        sim.start();
        EXPECT_EQ(sim.fakes.calls, Calls{}) << stop_command;
        EXPECT_EQ(sim.fakes.transitions.size(), transitions);
        EXPECT_TRUE(sim.web().ready());
    }
}

TEST(AOneshotThatHasFailed, IsRunAgainByAStart) {
    auto spec = oneshot();
    spec.restart.when = Restart::No;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(1));
    sim.fakes.calls.clear();
    sim.start();
    EXPECT_EQ(sim.fakes.calls, Calls{"spawn web"});
}

TEST(AOneshotThatRuns, AwaitsItsEnd) {
    Sim sim(oneshot());
    sim.start();
    sim.run();
    EXPECT_TRUE(sim.web().awaits_readiness());
    EXPECT_EQ(sim.web().awaited(), "its end");
    EXPECT_EQ(sim.web().ready_due(), kNever);
    sim.exit(ExitStatus::exited(0));
    EXPECT_FALSE(sim.web().awaits_readiness());
}

TEST(ADoneOneshot, IsStoppedAtShutdown) {
    Done sim;
    sim.supervisor.shut_down("shutdown", sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_TRUE(sim.supervisor.idle());
}

TEST(AServiceThatHasEnded, IsNotUpAndStaysAsItIsByAStop) {
    Sim sim(with_restart(Restart::OnFailure));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    sim.stop();
    EXPECT_EQ(sim.state(), State::Exited);
}

TEST(TheStopCommandOfAOneshot, UndoesWhatItHasDone) {
    Done sim(oneshot("undo"));
    sim.stop();
    EXPECT_EQ(sim.told(), "web: exited -> stopping: stop asked; running stop_command");
    EXPECT_EQ(sim.fakes.calls, Calls{"run undo for pid 0"});
    EXPECT_FALSE(sim.web().ready());
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked");
    EXPECT_EQ(sim.web().runs_ended(), 1u);
    EXPECT_EQ(sim.fakes.past_runs, (std::vector<std::string>{"exit 0", "exit 0"}))
        << "the second is that of the command";
}

TEST(TheStopCommandOfAOneshot, IsNotRunWhileItsProgramRuns) {
    Sim sim(oneshot("undo"));
    sim.start();
    sim.run();
    sim.fakes.calls.clear();
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, Calls{"signal 15"});
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_EQ(sim.fakes.calls.size(), 1u);
}

TEST(TheStopCommandOfAOneshot, IsNotRunTwice) {
    Done sim(oneshot("undo"));
    sim.stop();
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    sim.fakes.calls.clear();
    sim.stop();
    EXPECT_EQ(sim.fakes.calls, Calls{});
}

TEST(TheStopCommandOfAOneshot, ThatFailsIsTold) {
    Done sim(oneshot("undo"));
    sim.stop();
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.told(), "web: stopping -> stopped: stop asked (stop_command failed: exit 1)");
    EXPECT_EQ(sim.web().failed_undos().count, 1u);
    EXPECT_EQ(sim.web().failed_undos().last, "stop_command failed: exit 1");
}

TEST(TheStopCommandOfAOneshot, ThatFailsIsToldInTheCauseOfTheRunThatFollows) {
    Done sim(oneshot("undo"));
    sim.supervisor.restart({sim.id}, "restart asked", sim.fakes.now);
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.told(), "web: stopping -> starting: restart asked (stop_command failed: exit 1)");
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.told(), "web: running -> exited: exit 0");
}

TEST(TheStopCommandOfAOneshot, HasStopTimeout) {
    Done sim(oneshot("undo"));
    sim.stop();
    sim.beside_runs();
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "kill beside");
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(
        sim.told(),
        "web: stopping -> stopped: stop asked (stop_command was killed: it did not end within stop_timeout, 10s)");
    EXPECT_EQ(sim.web().failed_undos().count, 1u);
}

TEST(TheStopCommandOfAOneshot, ThatSomebodyKillsHasNotTakenTooLong) {
    Done sim(oneshot("undo"));
    sim.stop();
    sim.beside_runs();
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.web().failed_undos().last, "stop_command failed: killed by SIGKILL");
}

TEST(TheStopCommandOfAOneshot, RunsBeforeItRunsAgainByARestart) {
    Done sim(oneshot("undo"));
    sim.supervisor.restart({sim.id}, "restart asked", sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, Calls{"run undo for pid 0"});
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
    EXPECT_EQ(sim.told(), "web: stopping -> starting: restart asked");
}

TEST(TheStopCommandOfAOneshot, IsFollowedByAStartThatCameMeanwhile) {
    Done sim(oneshot("undo"));
    sim.stop();
    sim.beside_runs();
    sim.start();
    EXPECT_EQ(sim.web().runs_ended_with_this(), 1u) << "nothing of a run is left that could end";
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "spawn web");
}

TEST(TheStopCommandOfAOneshot, IsARecordOfItsOwn) {
    Done sim(oneshot("undo"));
    const auto begun = sim.fakes.now;
    sim.stop();
    sim.beside_runs();
    sim.pass(3s);
    sim.beside_exit(ExitStatus::exited(4), false);
    sim.pass(1s);
    sim.supervisor.tree_empty(sim.fakes.last_beside, sim.fakes.now);
    const auto* past = sim.web().past_run();
    ASSERT_TRUE(past->teardown);
    EXPECT_EQ(past->began, begun);
    EXPECT_EQ(past->ended, begun + 3s);
    EXPECT_EQ(past->pid, 412);
    EXPECT_EQ(past->status, ExitStatus::exited(4));
    EXPECT_FALSE(past->failed) << "that is about runs, whose last lines are kept";
    EXPECT_EQ(sim.fakes.past_runs, (std::vector<std::string>{"exit 0", "stop_command failed: exit 4"}));
}

TEST(TheStopCommandOfAOneshot, IsARecordAlsoBeforeTheNextRun) {
    Done sim(oneshot("undo"));
    sim.supervisor.restart(sim.id, "restart asked", sim.fakes.now);
    sim.supervisor.not_started(sim.fakes.last_beside, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Starting);
    ASSERT_TRUE(sim.web().past_run()->teardown);
    EXPECT_EQ(sim.web().past_run()->start_cause, "restart asked");
    EXPECT_FALSE(sim.web().past_run()->status);
    EXPECT_EQ(sim.fakes.past_runs.back(), "stop_command failed: cannot exec /bin/undo: No such file or directory");
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_FALSE(sim.web().past_run()->teardown);
}

TEST(ADoneOneshot, ThatIsStoppedWithoutAStopCommandLeavesNoRecord) {
    Done sim;
    sim.stop();
    EXPECT_EQ(sim.fakes.past_runs, std::vector<std::string>{"exit 0"});
}

TEST(TheStopCommandOfAOneshot, GetsTheSignalsForAMainProcess) {
    Done sim(oneshot("undo"));
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr);
    sim.stop();
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr) << "it is not there yet";
    sim.beside_runs();
    EXPECT_FALSE(sim.supervisor.signal(sim.id, SIGTERM));
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM)->pid, 412);
    EXPECT_EQ(sim.fakes.calls, (Calls{"run undo for pid 0", "signal 15"}));
    sim.beside_exit(ExitStatus::killed(SIGTERM), false);
    EXPECT_EQ(sim.supervisor.signal_command(sim.id, SIGTERM), nullptr) << "its main process has ended";
}

TEST(TheStopCommandOfAOneshot, HoldsUpTheEndOfTheDaemon) {
    Done sim(oneshot("undo"));
    sim.supervisor.shut_down("shutdown", sim.fakes.now);
    EXPECT_FALSE(sim.supervisor.idle());
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_TRUE(sim.supervisor.idle());
}

/// "web" runs and requires "setup", which is done and requires "net", which runs.
class Chain : public Several {
public:
    explicit Chain(const std::string& stop_command, OnRestart on_restart = OnRestart::Ignore) {
        auto setup = named("setup", oneshot(stop_command));
        setup.dependencies.requirements = {{"net"}};
        configure({job("net"), setup, requiring("web", {{"setup", Requirement::Condition::Ready, on_restart}})});
        run("net");
        run("setup");
        exit("setup");
        run("web");
        calls();
    }
    std::vector<std::string> would_end(const std::string& name) const {
        std::vector<std::string> names;
        for (const auto id : supervisor.would_end(ids({name}))) names.push_back(supervisor.find(id)->name().instance);
        return names;
    }
};

TEST(ADoneOneshot, TakesDownWhatRequiresItAndWaitsForThat) {
    Chain jobs("");
    EXPECT_EQ(jobs.would_end("setup"), Calls{"web"});
    jobs.stop({"setup", "web"});
    EXPECT_EQ(jobs.state("setup"), State::Stopping);
    EXPECT_EQ(jobs.at("setup").cause(), "stop asked; waits for web to end");
    EXPECT_FALSE(jobs.at("setup").ready());
    jobs.exit("web");
    EXPECT_EQ(jobs.state("setup"), State::Stopped);
    EXPECT_EQ(jobs.state("net"), State::Running);
}

TEST(ADoneOneshot, IsRunAgainForWhatRequiresIt) {
    Chain jobs("");
    jobs.stop({"setup", "web"});
    jobs.exit("web");
    jobs.calls();
    jobs.start("web");
    EXPECT_EQ(jobs.calls(), Calls{"spawn setup"});
    EXPECT_EQ(jobs.state("web"), State::Waiting);
}

TEST(ADoneOneshot, IsNotRunAgainForAnotherThatRequiresIt) {
    Chain jobs("undo");
    jobs.exit("web", 1);
    EXPECT_EQ(jobs.calls(), Calls{"spawn web"});
    jobs.run("web");
    jobs.calls();
    jobs.start("web");
    jobs.restart("web");
    jobs.exit("web");
    EXPECT_EQ(jobs.calls(), (Calls{"signal 15", "spawn web"}));
}

TEST(ADoneOneshot, IsNotRunAgainByAnotherConfiguration) {
    Several jobs;
    auto setup = named("setup", oneshot("undo"));
    jobs.configure({setup});
    jobs.run("setup");
    jobs.exit("setup");
    jobs.calls();
    setup.command = {"/bin/other"};
    jobs.configure({setup, Several::requiring("web", {{"setup"}})});
    EXPECT_EQ(jobs.calls(), Calls{"spawn web"});
    jobs.restart("setup");
    EXPECT_EQ(jobs.calls(), Calls{"run undo for pid 0"});
}

TEST(ADoneOneshot, NeedsNothingOfWhatItHasRequired) {
    Chain jobs("");
    EXPECT_EQ(jobs.would_end("net"), Calls{});
}

TEST(TheStopCommandOfAOneshot, NeedsWhatTheJobRequires) {
    Chain jobs("undo");
    EXPECT_EQ(jobs.would_end("net"), (Calls{"setup", "web"}));
    jobs.stop({"net", "setup", "web"});
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"}) << "of web";
    jobs.exit("web");
    EXPECT_EQ(jobs.calls(), Calls{"run undo for pid 0"});
    EXPECT_EQ(jobs.state("net"), State::Stopping);
    jobs.supervisor.exited(jobs.fakes.last_beside, ExitStatus::exited(0), true, jobs.fakes.now);
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"}) << "of net";
}

TEST(ADoneOneshot, RestartsWhatIsRestartedWithIt) {
    Chain jobs("", OnRestart::Restart);
    jobs.restart("setup");
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"}) << "of web";
    jobs.exit("web");
    EXPECT_EQ(jobs.calls(), Calls{"spawn setup"});
    jobs.run("setup");
    jobs.exit("setup");
    EXPECT_EQ(jobs.calls(), Calls{"spawn web"});
}

TEST(ADoneOneshot, OfSeveralKeepsUpNothingThatNeedsThemAll) {
    Several jobs;
    auto setup = named("setup", oneshot());
    setup.instances = {"a", "b"};
    jobs.configure({setup, Several::requiring("web", {{"setup"}})});
    for (const auto* name : {"setup@a", "setup@b"}) {
        jobs.run(name);
        jobs.exit(name);
    }
    jobs.run("web");
    EXPECT_TRUE(jobs.supervisor.would_end(jobs.ids({"setup@a"})).empty()) << "the other one is there";
    EXPECT_EQ(jobs.supervisor.would_end(jobs.ids({"setup"})).size(), 1u);
}

TEST(TheStopCommandOfAOneshot, RunsBeforeARemovedJobIsForgotten) {
    Several jobs;
    jobs.configure({named("setup", oneshot("undo"))});
    jobs.run("setup");
    jobs.exit("setup");
    jobs.calls();
    jobs.configure({});
    jobs.supervisor.forget_ended();
    EXPECT_EQ(jobs.calls(), Calls{"run undo for pid 0"});
    jobs.supervisor.exited(jobs.fakes.last_beside, ExitStatus::exited(0), true, jobs.fakes.now);
    jobs.supervisor.forget_ended();
    EXPECT_EQ(jobs.calls(), Calls{"forget setup"});
}

}  // namespace
}  // namespace procsup
