#include <gmock/gmock.h>
#include <signal.h>

#include "daemon/engine/instance_fixture.h"
#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = JobChange::Kind;
using OnRestart = Requirement::OnRestart;

JobSpec with_command(JobSpec spec, const std::string& program) {
    spec.command = {program};
    return spec;
}

/// One job as of Sim, whose text changes.
class Live : public Sim {
public:
    using Sim::Sim;
    JobSpec text() const { return web().spec(); }
    ConfigurationChange change(JobSpec spec, Restarts restarts = Restarts::Now) {
        return supervisor.configure({std::move(spec)}, fakes.now, restarts);
    }
    Duration left(TimerKind kind) const {
        const auto* timer = fakes.timer(kind);
        return timer == nullptr ? kForever : std::chrono::duration_cast<Duration>(timer->when - fakes.now);
    }
};

TEST(LiveChange, LeavesTheRunAloneAndIsInForceAtOnce) {
    Live sim;
    sim.start();
    sim.run();
    sim.fakes.calls.clear();
    auto spec = sim.text();
    spec.stop_signal = SIGINT;
    spec.stop_timeout = 3s;
    const auto change = sim.change(spec);
    EXPECT_THAT(change.jobs.at(0).keys, ElementsAre("stop_signal", "stop_timeout"));
    EXPECT_EQ(change.jobs.at(0).kind, Kind::Live);
    EXPECT_THAT(sim.fakes.calls, IsEmpty());
    sim.stop();
    EXPECT_THAT(sim.fakes.calls, ElementsAre("signal 2"));
    EXPECT_EQ(sim.left(TimerKind::StopTimeout), 3s);
}

TEST(LiveChange, OfALimitCountsFromTheSameBeginning) {
    JobSpec spec;
    spec.run_timeout = 10s;
    Live sim(spec);
    sim.start();
    sim.run();
    sim.pass(4s);
    auto longer = sim.text();
    longer.run_timeout = 60s;
    sim.change(longer);
    EXPECT_EQ(sim.left(TimerKind::RunTimeout), 56s);
    auto never = sim.text();
    never.run_timeout = kForever;
    sim.change(never);
    EXPECT_EQ(sim.left(TimerKind::RunTimeout), kForever);
    auto shorter = sim.text();
    shorter.run_timeout = 5s;
    sim.change(shorter);
    EXPECT_EQ(sim.left(TimerKind::RunTimeout), 1s);
    shorter.run_timeout = 2s;
    sim.change(shorter);
    EXPECT_EQ(sim.left(TimerKind::RunTimeout), 0s) << "it is over";
    sim.fire(TimerKind::RunTimeout);
    EXPECT_EQ(sim.state(), State::Stopping);
}

TEST(LiveChange, WhilePausedCountsWhenItGoesOn) {
    Live sim;
    sim.start();
    sim.run();
    sim.supervisor.pause(sim.id, "pause", sim.fakes.now);
    auto spec = sim.text();
    spec.run_timeout = 10s;
    sim.change(spec);
    EXPECT_EQ(sim.left(TimerKind::RunTimeout), kForever);
    sim.pass(4s);
    sim.supervisor.resume(sim.id, "resume", sim.fakes.now);
    EXPECT_EQ(sim.left(TimerKind::RunTimeout), 6s);
}

TEST(LiveChange, OfAStopThatIsUnderWayMovesItsEnd) {
    Live sim;
    sim.start();
    sim.run();
    sim.stop();
    sim.pass(2s);
    auto spec = sim.text();
    spec.stop_timeout = 1min;
    sim.change(spec);
    EXPECT_EQ(sim.left(TimerKind::StopTimeout), 58s);
    EXPECT_EQ(sim.state(), State::Stopping);
}

TEST(LiveChange, OfTheStepsOfAStopThatIsUnderWay) {
    JobSpec spec;
    spec.stop_steps = {{5s, SIGQUIT}, {5s, SIGKILL}};
    Live sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    sim.fire(TimerKind::StopStep);
    sim.pass(1s);
    auto other = sim.text();
    other.stop_steps = {{5s, SIGQUIT}, {3s, SIGABRT}};
    sim.change(other);
    EXPECT_EQ(sim.left(TimerKind::StopStep), 2s) << "since the last signal";
    other.stop_steps = {{1s, SIGQUIT}};
    sim.change(other);
    EXPECT_EQ(sim.left(TimerKind::StopStep), kForever) << "that was the last one";
}

TEST(LiveChange, OfTheStopCommandLeavesTheOneThatRunsAlone) {
    JobSpec spec;
    spec.stop_command = {{"/bin/end"}, "/bin/end"};
    Live sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    auto without = sim.text();
    without.stop_command = {};
    sim.change(without);
    sim.supervisor.not_started(sim.fakes.last_beside, SpawnStage::Exec, ENOENT, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
    EXPECT_EQ(sim.web().cause(),
              "stop_command failed: cannot exec /bin/end: No such file or directory; sending SIGTERM instead");
}

JobSpec with_hook(Hook hook, Restart when = Restart::No) {
    auto spec = with_restart(when);
    spec.hooks.push_back({hook, {{"/bin/hook"}, "/bin/hook"}});
    return spec;
}

TEST(LiveChange, OfTheStopTimeReachesACommandThatHangsAfterTheRun) {
    for (const auto hook : {Hook::PostStop, Hook::OnFailed}) {
        auto spec = with_hook(hook);
        spec.stop_timeout = kForever;
        Live sim(spec);
        sim.start();
        sim.run();
        sim.exit(ExitStatus::exited(1));
        sim.beside_runs();
        ASSERT_EQ(sim.left(TimerKind::StopTimeout), kForever);
        sim.pass(2s);
        auto limited = sim.text();
        limited.stop_timeout = 5s;
        sim.change(limited);
        EXPECT_EQ(sim.left(TimerKind::StopTimeout), 3s) << word_of(hook);
        sim.fire(TimerKind::StopTimeout);
        EXPECT_EQ(sim.fakes.calls.back(), "kill beside") << word_of(hook);
    }
}

TEST(LiveChange, OfTheStopTimeReachesAPreStartThatDoesNotEndWhenItIsTold) {
    auto spec = with_hook(Hook::PreStart);
    spec.stop_timeout = kForever;
    Live sim(spec);
    sim.start();
    sim.beside_runs();
    sim.stop();
    ASSERT_EQ(sim.left(TimerKind::StopTimeout), kForever);
    auto limited = sim.text();
    limited.stop_timeout = 5s;
    sim.change(limited);
    EXPECT_EQ(sim.left(TimerKind::StopTimeout), 5s);
}

TEST(LiveChange, OfTheStartTimeCountsFromTheBeginningOfPostStart) {
    auto spec = with_hook(Hook::PostStart);
    spec.readiness.kind = Readiness::Kind::Notify;
    spec.readiness.timeout = kForever;
    spec.start_timeout = kForever;
    Live sim(spec);
    sim.start();
    sim.run();
    sim.pass(10min);
    sim.supervisor.became_ready(sim.fakes.last_incarnation, sim.fakes.now);
    sim.beside_runs();
    sim.pass(2s);
    auto limited = sim.text();
    limited.start_timeout = 5s;
    sim.change(limited);
    EXPECT_EQ(sim.left(TimerKind::StartTimeout), 3s);
}

TEST(LiveChange, OfReadinessAndStartLimits) {
    JobSpec spec;
    spec.readiness.kind = Readiness::Kind::Notify;
    spec.readiness.timeout = 20s;
    Live sim(spec);
    sim.start();
    sim.pass(1s);
    auto other = sim.text();
    other.start_timeout = 30s;
    other.readiness.timeout = 40s;
    sim.change(other);
    EXPECT_EQ(sim.left(TimerKind::StartTimeout), 29s);
    sim.run();
    sim.pass(1s);
    other.readiness.timeout = 5s;
    sim.change(other);
    EXPECT_EQ(sim.left(TimerKind::ReadyTimeout), 4s);
}

TEST(LiveChange, BeginsAndEndsCountingZombies) {
    Live sim;
    sim.start();
    sim.run();
    auto spec = sim.text();
    spec.zombie_limit = 3;
    spec.zombie_check = 2s;
    sim.change(spec);
    EXPECT_EQ(sim.left(TimerKind::ZombieCheck), 2s);
    spec.zombie_limit.reset();
    sim.change(spec);
    EXPECT_EQ(sim.left(TimerKind::ZombieCheck), kForever);
}

TEST(LiveChange, OfADelayShortensTheWaitForTheNextStart) {
    auto spec = with_restart(Restart::Always);
    spec.restart.delay = 20s;
    Live sim(spec);
    sim.start();
    for (int i = 0; i < 2; ++i) {
        sim.run();
        sim.exit(ExitStatus::exited(1));
    }
    ASSERT_EQ(sim.state(), State::Backoff);
    sim.pass(1s);
    auto sooner = sim.text();
    sooner.restart.delay = 3s;
    sim.change(sooner);
    EXPECT_EQ(sim.left(TimerKind::Backoff), 2s);
    EXPECT_EQ(sim.web().next_start(), sim.fakes.now + 2s);
}

TEST(Change, RestartsWhatRunsWhenAnotherKeyDiffers) {
    Live sim;
    sim.start();
    sim.run();
    auto spec = with_command(sim.text(), "/bin/newer");
    spec.stop_timeout = 3s;
    const auto change = sim.change(spec);
    EXPECT_EQ(change.jobs.at(0).kind, Kind::Restart);
    EXPECT_THAT(change.jobs.at(0).keys, ElementsAre("command", "stop_timeout"));
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.left(TimerKind::StopTimeout), 10s) << "the run ends by the text that it was started with";
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_EQ(sim.web().spec().command.front(), "/bin/newer");
    EXPECT_EQ(sim.web().cause(), "restarted with its new settings: command");
}

TEST(Change, LeavesWhatIsStoppedStopped) {
    Live sim;
    const auto change = sim.change(with_command(sim.text(), "/bin/newer"));
    EXPECT_EQ(change.jobs.at(0).kind, Kind::Later);
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_EQ(sim.web().spec().command.front(), "/bin/newer");
}

TEST(Change, TriesAgainWhatHasFailedWithTheOldText) {
    Live sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(1));
    ASSERT_EQ(sim.state(), State::Failed);
    auto live = sim.text();
    live.stop_timeout = 3s;
    sim.change(live);
    EXPECT_EQ(sim.state(), State::Failed) << "it would fail as before";
    sim.change(with_command(sim.text(), "/bin/newer"));
    EXPECT_EQ(sim.state(), State::Starting);
}

TEST(Change, ToBeRestartedLaterIsMadeByTheNextOne) {
    Live sim;
    sim.start();
    sim.run();
    const auto spec = with_command(sim.text(), "/bin/newer");
    EXPECT_EQ(sim.change(spec, Restarts::Later).jobs.at(0).kind, Kind::Later);
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_TRUE(sim.change(spec, Restarts::Later).empty()) << "that is no news";
    EXPECT_EQ(sim.change(spec).jobs.at(0).kind, Kind::Restart);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_TRUE(sim.change(spec).empty());
}

TEST(Change, MendsAFailureWhoseCommandsStillRun) {
    for (const auto hook : {Hook::PostStop, Hook::OnFailed}) {
        Live sim(with_hook(hook));
        sim.start();
        sim.run();
        sim.exit(ExitStatus::exited(1));
        ASSERT_EQ(sim.state(), State::Stopping);
        const auto change = sim.change(with_command(sim.text(), "/bin/newer"));
        EXPECT_EQ(change.jobs.at(0).kind, Kind::Restart) << word_of(hook);
        sim.beside_runs();
        sim.beside_exit(ExitStatus::exited(0));
        EXPECT_EQ(sim.state(), State::Starting) << word_of(hook);
        EXPECT_EQ(sim.web().spec().command.front(), "/bin/newer");
    }
}

TEST(Change, DoesNotStartWhatIsBeingStopped) {
    Live sim(with_hook(Hook::OnFailed));
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(1));
    sim.stop();
    EXPECT_EQ(sim.change(with_command(sim.text(), "/bin/newer")).jobs.at(0).kind, Kind::Later);
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(Change, DoesNotRepeatWhatHasEndedWell) {
    auto spec = with_hook(Hook::PostStop);
    spec.type = JobType::Oneshot;
    Live sim(spec);
    sim.start();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.change(with_command(sim.text(), "/bin/newer")).jobs.at(0).kind, Kind::Later);
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Exited);
}

TEST(Change, ForTheNextStartIsNoNewsOnceTheRunHasEnded) {
    for (const int code : {0, 1}) {
        Live sim(with_restart(Restart::No));
        sim.start();
        sim.run();
        const auto spec = with_command(sim.text(), "/bin/newer");
        sim.change(spec, Restarts::Later);
        sim.exit(ExitStatus::exited(code));
        ASSERT_EQ(sim.state(), code == 0 ? State::Exited : State::Failed);
        EXPECT_TRUE(sim.change(spec, Restarts::Later).empty()) << code;
        EXPECT_EQ(sim.web().spec().command.front(), "/bin/newer") << code;
    }
}

TEST(Change, ForTheNextStartMendsWhatHasFailedWithTheTextBeforeIt) {
    Live sim(with_restart(Restart::No));
    sim.start();
    sim.run();
    const auto spec = with_command(sim.text(), "/bin/newer");
    sim.change(spec, Restarts::Later);
    sim.exit(ExitStatus::exited(1));
    ASSERT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.change(spec).jobs.at(0).kind, Kind::Restart);
    ASSERT_EQ(sim.state(), State::Starting);
    sim.run();
    sim.exit(ExitStatus::exited(1));
    EXPECT_TRUE(sim.change(spec).empty()) << "now it has failed with this text";
}

TEST(Change, ThatIsTakenBackBeforeTheNextStartIsToldAndTouchesNothing) {
    Live sim;
    sim.start();
    sim.run();
    const auto before = sim.text();
    sim.change(with_command(before, "/bin/newer"), Restarts::Later);
    sim.fakes.calls.clear();
    const auto back = sim.change(before);
    ASSERT_EQ(back.jobs.size(), 1u);
    EXPECT_EQ(back.jobs[0].kind, Kind::Live);
    EXPECT_THAT(back.jobs[0].keys, IsEmpty());
    EXPECT_THAT(back.jobs[0].withdrawn, ElementsAre("command"));
    EXPECT_THAT(sim.fakes.calls, IsEmpty());
    EXPECT_TRUE(sim.change(before).empty());
    sim.supervisor.restart(sim.id, "restart", sim.fakes.now);
    sim.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(sim.web().spec().command.front(), before.command.front());
}

TEST(Change, TellsWhatItStartsBesidesBecauseItIsNeeded) {
    Several jobs;
    auto deep = Several::resting(Several::requiring("deep", {{"base"}}));
    const auto base = Several::resting(Several::job("base"));
    const auto up = Several::job("up"), stopped = Several::job("stopped");
    jobs.configure({deep, base, up, stopped});
    for (const char* name : {"up", "stopped"}) jobs.run(name);
    jobs.stop({"stopped"});
    jobs.exit("stopped");
    auto extra = Several::requiring("new", {{"deep"}, {"up"}});
    extra.dependencies.wants = {"stopped"};
    jobs.calls();
    const auto change = jobs.configure({deep, base, up, stopped, extra});
    ASSERT_EQ(change.jobs.size(), 1u);
    EXPECT_THAT(change.jobs[0].pulled, ElementsAre("deep", "stopped", "base"));
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn stopped", "spawn base"));
    auto restarted = with_command(up, "/bin/newer");
    EXPECT_THAT(jobs.configure({deep, base, restarted, stopped, extra}).jobs.at(0).pulled, IsEmpty());
    auto needy = restarted;
    needy.dependencies.wants = {"later"};
    const auto later = Several::resting(Several::job("later"));
    const auto added = jobs.configure({deep, base, needy, stopped, extra, later});
    EXPECT_EQ(added.jobs.at(0).kind, Kind::Add);
    EXPECT_THAT(added.jobs.at(1).pulled, ElementsAre("later")) << "a job that goes on has come to want it";
}

TEST(Change, ThatIsOnlyPlannedIsTheSameAndChangesNothing) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::job("gone"), Several::job("same")});
    for (const char* name : {"db", "gone", "same"}) jobs.run(name);
    jobs.calls();
    const auto next = jobs.supervisor.shared(
        {with_command(Several::job("db"), "/bin/newer"), Several::job("new"), Several::job("same")});
    const auto plan = jobs.supervisor.plan(next, Restarts::Now);
    EXPECT_THAT(jobs.calls(), IsEmpty());
    EXPECT_EQ(jobs.supervisor.jobs().size(), 3u);
    const auto change = jobs.supervisor.configure(next, jobs.fakes.now, Restarts::Now);
    ASSERT_EQ(plan.jobs.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(plan.jobs[i].job, change.jobs[i].job);
        EXPECT_EQ(plan.jobs[i].kind, change.jobs[i].kind);
    }
    EXPECT_EQ(plan.unchanged, 1u);
    EXPECT_THAT(plan.changed(), ElementsAre("db"));
    EXPECT_THAT(plan.added(), ElementsAre("new"));
    EXPECT_THAT(plan.removed(), ElementsAre("gone"));
}

TEST(Change, RestartsInTheOrderOfDependencies) {
    Several jobs;
    const auto web = Several::requiring("web", {{"db"}});
    jobs.configure({Several::job("db"), web});
    jobs.run("db");
    jobs.run("web");
    jobs.calls();
    jobs.configure({with_command(Several::job("db"), "/bin/newer"), with_command(web, "/bin/newer")});
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15")) << "web alone";
    EXPECT_EQ(jobs.at("db").cause().substr(0, 43), "restarted with its new settings: command; w");
    jobs.exit("web");
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15"));
    jobs.exit("db");
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn db"));
    jobs.run("db");
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn web"));
}

TEST(Change, NamesWhatIsRestartedWithIt) {
    Several jobs;
    const auto web = Several::requiring("web", {{"db", Requirement::Condition::Ready, OnRestart::Restart}});
    auto helper = Several::job("helper");
    helper.daemon_of = "web";
    jobs.configure({Several::job("db"), helper, web});
    jobs.run("db");
    jobs.run("web");
    jobs.run("helper");
    const auto change = jobs.configure({with_command(Several::job("db"), "/bin/newer"), helper, web});
    ASSERT_EQ(change.jobs.size(), 1u);
    EXPECT_THAT(change.jobs[0].with, ElementsAre("web", "helper"));
    EXPECT_EQ(jobs.state("web"), State::Stopping);
}

TEST(Change, StopsRemovedJobsInTheReverseOrder) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}}), Several::job("other")});
    for (const char* name : {"db", "web", "other"}) jobs.run(name);
    jobs.calls();
    jobs.configure({Several::job("other")});
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15"));
    jobs.exit("web");
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15"));
    jobs.exit("db");
    jobs.supervisor.forget_ended();
    EXPECT_EQ(jobs.supervisor.jobs().size(), 1u);
    EXPECT_EQ(jobs.state("other"), State::Running);
}

TEST(Change, StartsANewJobWhenWhatItRequiresIsRestarted) {
    Several jobs;
    jobs.configure({Several::job("db")});
    jobs.run("db");
    jobs.calls();
    jobs.configure({with_command(Several::job("db"), "/bin/newer"), Several::requiring("web", {{"db"}})});
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15"));
    jobs.exit("db");
    jobs.run("db");
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn db", "spawn web"));
}

JobSpec several(std::vector<std::string> instances) {
    auto spec = Several::job("web");
    spec.instances = std::move(instances);
    return spec;
}

TEST(ChangeOfInstances, MakesTheNameOfTheOnlyOneThatOfTheJob) {
    Several jobs;
    jobs.configure({Several::job("web")});
    jobs.run("web");
    auto several = Several::job("web");
    several.instances = {"0", "1"};
    jobs.configure({several});
    EXPECT_EQ(jobs.ids({"web"}).size(), 2u) << "the one that ends is none of those to be waited for";
    EXPECT_EQ(jobs.supervisor.select("web", Surplus::With).size(), 3u);
}

TEST(ChangeOfInstances, LeavesThoseThatStayAlone) {
    Several jobs;
    jobs.configure({several({"0", "1"})});
    jobs.run("web@0");
    jobs.run("web@1");
    jobs.calls();
    const auto more = jobs.configure({several({"0", "1", "2"})});
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn web@2"));
    EXPECT_THAT(more.jobs.at(0).started, ElementsAre("web@2"));
    EXPECT_EQ(more.jobs.at(0).kind, Kind::Live);
    jobs.run("web@2");
    const auto fewer = jobs.configure({several({"0"})});
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15", "signal 15"));
    EXPECT_THAT(fewer.jobs.at(0).stopped, ElementsAre("web@1", "web@2"));
    EXPECT_EQ(jobs.state("web@0"), State::Running);
}

TEST(ChangeOfInstances, RestartsOneThatHasAnotherNumber) {
    Several jobs;
    jobs.configure({several({"a", "b"})});
    jobs.run("web@a");
    jobs.run("web@b");
    jobs.calls();
    const auto change = jobs.configure({several({"b", "c"})});
    EXPECT_EQ(change.jobs.at(0).kind, Kind::Restart);
    EXPECT_EQ(jobs.state("web@b"), State::Stopping);
    EXPECT_EQ(jobs.at("web@b").name().index, 1u) << "of the run that ends";
    jobs.exit("web@b");
    EXPECT_EQ(jobs.at("web@b").name().index, 0u);
}

TEST(ChangeOfInstances, StartsWhatTakesAPlaceWhenThatIsFree) {
    Several jobs;
    jobs.configure({several({})});
    jobs.run("web");
    const auto single = jobs.at("web").incarnation();
    ASSERT_TRUE(jobs.supervisor.scale("web", 3, "scale asked", jobs.fakes.now));
    jobs.run("web@1");
    jobs.run("web@2");
    jobs.calls();
    jobs.configure({several({"0", "1", "2"})});
    EXPECT_THAT(jobs.calls(), ElementsAre("signal 15"));
    EXPECT_EQ(jobs.state("web@0"), State::Waiting);
    EXPECT_EQ(jobs.at("web@0").waits_for(), "web to end, whose place it takes");
    jobs.supervisor.exited(single, ExitStatus::killed(SIGTERM), true, jobs.fakes.now);
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn web@0"));
}

TEST(ChangeOfInstances, StartsWhatHasAnotherNumberWhenThatIsFree) {
    Several jobs;
    jobs.configure({several({"a", "b"})});
    jobs.run("web@a");
    jobs.run("web@b");
    const auto first = jobs.at("web@a").incarnation();
    jobs.configure({several({"b", "c"})});
    jobs.calls();
    jobs.exit("web@b");
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn web@c")) << "web@a has still the number of web@b";
    jobs.supervisor.exited(first, ExitStatus::killed(SIGTERM), true, jobs.fakes.now);
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn web@b"));
}

TEST(ChangeOfInstances, ThatOnlySwapsNumbersEnds) {
    Several jobs;
    jobs.configure({several({"a", "b"})});
    jobs.run("web@a");
    jobs.run("web@b");
    jobs.configure({several({"b", "a"})});
    jobs.exit("web@a");
    EXPECT_EQ(jobs.state("web@a"), State::Waiting);
    jobs.exit("web@b");
    EXPECT_EQ(jobs.state("web@a"), State::Starting);
    EXPECT_EQ(jobs.state("web@b"), State::Starting);
}

TEST(ChangeOfInstances, StartsNoneOfAJobThatIsStopped) {
    Several jobs;
    jobs.configure({several({"0"})});
    jobs.run("web@0");
    jobs.stop({"web"});
    jobs.exit("web@0");
    jobs.calls();
    const auto change = jobs.configure({several({"0", "1"})});
    EXPECT_THAT(jobs.calls(), IsEmpty());
    EXPECT_THAT(change.jobs.at(0).started, IsEmpty());
    EXPECT_EQ(jobs.state("web@1"), State::Stopped);
}

TEST(Change, OfThePortIsThatOfTheNextRun) {
    auto spec = several({"0", "1"});
    spec.port_base = 8000;
    Several jobs;
    jobs.configure({spec});
    jobs.run("web@0");
    spec.port_base = 9000;
    EXPECT_THAT(jobs.configure({spec}).jobs.at(0).keys, ElementsAre("port_base"));
    EXPECT_EQ(jobs.at("web@0").name().port, 8000);
    jobs.exit("web@0");
    EXPECT_EQ(jobs.at("web@0").name().port, 9000);
}

TEST(Change, WhileTheDaemonEndsRestartsNothing) {
    Several jobs;
    jobs.configure({Several::job("web")});
    jobs.run("web");
    jobs.supervisor.shut_down("end", jobs.fakes.now);
    jobs.calls();
    jobs.configure({with_command(Several::job("web"), "/bin/newer"), Several::job("new")});
    jobs.exit("web");
    EXPECT_THAT(jobs.calls(), IsEmpty());
}

TEST(Configure, OfAJobIntoADaemonLeavesNothingForABatchToWaitFor) {
    Several jobs;
    const auto shop = Several::job("shop");
    jobs.configure({shop, Several::job("web")});
    jobs.run("shop");
    jobs.run("web");
    auto daemon = Several::job("web");
    daemon.daemon_of = "shop";
    jobs.configure({shop, daemon});
    jobs.exit("web");
    jobs.run("web");
    jobs.exit("shop");
    EXPECT_TRUE(jobs.supervisor.all_but_daemons_settled());
    jobs.exit("web");
    EXPECT_TRUE(jobs.supervisor.all_but_daemons_settled());
}

}  // namespace
}  // namespace procsup
