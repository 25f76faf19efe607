#include "daemon/engine/crew_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Rolls = std::vector<std::string>;

JobSpec with_readiness() {
    JobSpec spec;
    spec.readiness.kind = Readiness::Kind::Notify;
    spec.readiness.timeout = 10s;
    return spec;
}

/// The instance that a rolling restart has told to end has ended, and runs again.
void replace(Crew& crew, const std::string& name) {
    crew.end(name);
    crew.run(name);
}

TEST(RollingRestart, TakesTheNextInstanceWhenTheOneBeforeIsReady) {
    Crew crew(with_readiness());
    crew.bring_up();
    EXPECT_EQ(crew.roll(), "");
    EXPECT_EQ(crew.state("web@0"), State::Stopping);
    EXPECT_EQ(crew.at("web@0").cause(), "rolling restart asked");
    replace(crew, "web@0");
    EXPECT_EQ(crew.state("web@1"), State::Running);
    crew.ready("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
    EXPECT_EQ(crew.fakes.rolls, Rolls{"web: web@0 up"});
}

TEST(RollingRestart, IsDoneWhenTheLastInstanceIsUp) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    for (const auto* name : {"web@0", "web@1", "web@2"}) {
        EXPECT_TRUE(crew.supervisor.rolls("web"));
        replace(crew, name);
        crew.ready(name);
    }
    EXPECT_EQ(crew.fakes.rolls, (Rolls{"web: web@0 up", "web: web@1 up", "web: web@2 up", "web: done"}));
    EXPECT_FALSE(crew.supervisor.rolls("web"));
}

TEST(RollingRestart, WaitsForMinUptimeWhereReadinessIsNotKnown) {
    Crew crew;
    crew.bring_up();
    crew.roll();
    replace(crew, "web@0");
    EXPECT_EQ(crew.state("web@1"), State::Running);
    ASSERT_NE(crew.timer("web@0", TimerKind::RollStep), nullptr);
    EXPECT_EQ(crew.timer("web@0", TimerKind::RollStep)->when, crew.fakes.now + 1s);
    crew.fire("web@0", TimerKind::RollStep);
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
}

TEST(RollingRestart, EndsWithAQuickDeathAlsoOfWhatWasGivenUpBefore) {
    JobSpec spec;
    spec.restart.start_limit = {1, 60s};
    spec.hooks.push_back({Hook::OnFailed, {{"/bin/tell"}, "/bin/tell"}});
    Crew crew(spec, {});
    crew.start("web");
    for (int i = 0; i < 2; ++i) {
        crew.run("web");
        crew.end("web", ExitStatus::exited(1));
    }
    ASSERT_EQ(crew.state("web"), State::Stopping);
    EXPECT_EQ(crew.roll(), "");
    crew.end(crew.fakes.last_beside);
    crew.run("web");
    crew.end("web", ExitStatus::exited(1));
    EXPECT_EQ(crew.fakes.rolls, Rolls{"web: web failed: it has ended: exit 1; it is started again"});
}

TEST(RollingRestart, EndsWithAQuickDeath) {
    Crew crew;
    crew.bring_up();
    crew.roll();
    replace(crew, "web@0");
    crew.end("web@0", ExitStatus::exited(3));
    EXPECT_EQ(crew.fakes.rolls,
              Rolls{"web: web@0 failed: it has ended: exit 3; it is started again, not web@1, not web@2"});
    EXPECT_EQ(crew.timer("web@0", TimerKind::RollStep), nullptr);
    EXPECT_EQ(crew.state("web@1"), State::Running);
}

TEST(RollingRestart, EndsWhenAnInstanceIsNotReadyInTime) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    replace(crew, "web@0");
    crew.fire("web@0", TimerKind::ReadyTimeout);
    crew.end("web@0", ExitStatus::exited(0));
    ASSERT_EQ(crew.fakes.rolls.size(), 1u);
    EXPECT_NE(crew.fakes.rolls[0].find("web@0 failed: it has ended: not ready within 10s"), std::string::npos);
}

TEST(RollingRestart, EndsWhenAnInstanceCannotBeStarted) {
    Crew crew;
    crew.bring_up();
    crew.roll();
    crew.end("web@0");
    crew.supervisor.not_started(crew.at("web@0").incarnation(), SpawnStage::Exec, ENOENT, crew.fakes.now);
    ASSERT_EQ(crew.fakes.rolls.size(), 1u);
    EXPECT_NE(crew.fakes.rolls[0].find("cannot exec /usr/bin/web: No such file or directory"), std::string::npos)
        << crew.fakes.rolls[0];
}

TEST(RollingRestart, EndsWhenSomebodyStopsTheInstanceThatItWaitsFor) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    replace(crew, "web@0");
    crew.stop("web@0");
    EXPECT_EQ(crew.fakes.rolls, Rolls{"web: web@0 failed: it was told to stop: stop asked, not web@1, not web@2"});
}

TEST(RollingRestart, TakesNoReadyInstanceDownWhileAnotherIsNot) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    replace(crew, "web@0");
    crew.stop("web@2");
    crew.ready("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Running);
    EXPECT_EQ(crew.fakes.rolls,
              (Rolls{"web: web@0 up",
                     "web: web@2 failed: it is not ready: it was told to stop: stop asked, not web@1, not web@2"}));
}

TEST(RollingRestart, WaitsForAnotherInstanceThatComes) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    crew.scale(4);
    crew.run("web@3");
    replace(crew, "web@0");
    crew.ready("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Running);
    crew.ready("web@3");
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
}

TEST(RollingRestart, BeginsWithThoseThatAreNotReady) {
    auto spec = with_readiness();
    spec.restart.when = Restart::No;
    Crew crew(spec);
    crew.bring_up();
    crew.end("web@2", ExitStatus::exited(1));
    crew.roll();
    EXPECT_EQ(crew.state("web@2"), State::Starting);
    EXPECT_EQ(crew.state("web@0"), State::Running);
    crew.run("web@2");
    crew.ready("web@2");
    EXPECT_EQ(crew.state("web@0"), State::Stopping);
}

TEST(RollingRestart, StartsNothingThatIsStopped) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.stop("web@2");
    EXPECT_EQ(crew.roll(), "cannot restart 'web' one by one: web@2 is stopped; start it first");
}

TEST(RollingRestart, EndsWhenTheNextInstanceWasStoppedMeanwhile) {
    auto spec = with_readiness();
    spec.restart.when = Restart::No;
    Crew crew(spec, {"0", "1"});
    crew.bring_up();
    crew.end("web@0", ExitStatus::exited(1));
    crew.end("web@1", ExitStatus::exited(1));
    crew.roll();
    crew.run("web@0");
    crew.supervisor.reset(crew.at("web@1").id(), "reset", crew.fakes.now);
    crew.ready("web@0");
    EXPECT_EQ(crew.fakes.rolls, (Rolls{"web: web@0 up", "web: web@1 failed: it was told to stop: reset, not web@1"}));
}

TEST(RollingRestart, GoesOnWithoutInstancesThatAreNoLongerConfigured) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    crew.scale(1);
    EXPECT_EQ(crew.fakes.rolls, Rolls{});
    replace(crew, "web@0");
    crew.ready("web@0");
    EXPECT_EQ(crew.fakes.rolls, (Rolls{"web: web@0 up", "web: done"}));
}

TEST(RollingRestart, EndsWithTheJob) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    crew.configure({});
    EXPECT_EQ(crew.fakes.rolls, Rolls{"web: failed: the job is no longer configured"});
}

TEST(RollingRestart, EndsWithTheDaemon) {
    Crew crew(with_readiness());
    crew.bring_up();
    crew.roll();
    crew.supervisor.shut_down("SIGTERM", crew.fakes.now);
    EXPECT_EQ(crew.fakes.rolls, Rolls{"web: failed: procsupd is ending, not web@1, not web@2"});
}

TEST(RollingRestart, OfAJobIsRefusedWhileOneIsUnderWay) {
    Crew crew;
    crew.bring_up();
    crew.roll();
    EXPECT_EQ(crew.roll(), "cannot restart 'web' one by one: that is already under way");
}

TEST(RollingRestart, IsRefusedForAOneshot) {
    JobSpec spec;
    spec.type = JobType::Oneshot;
    Crew crew(spec);
    EXPECT_EQ(crew.roll(), "cannot restart 'web' one by one: it is a oneshot, which does not go on running");
}

TEST(RollingRestart, OfOneInstanceIsARestart) {
    Crew crew(with_readiness(), {});
    crew.bring_up();
    crew.roll();
    replace(crew, "web");
    crew.ready("web");
    EXPECT_EQ(crew.fakes.rolls, (Rolls{"web: web up", "web: done"}));
}

TEST(RollingRestart, OfTwoJobsGoOnSideBySide) {
    auto web = with_readiness(), other = with_readiness();
    other.name = "other";
    web.instances = other.instances = {"0", "1"};
    Crew crew(std::vector{web, other});
    crew.bring_up("web");
    crew.bring_up("other");
    crew.roll();
    ASSERT_TRUE(crew.supervisor.roll("other", "asked", crew.fakes.now));
    replace(crew, "other@0");
    replace(crew, "web@0");
    crew.ready("web@0");
    crew.ready("other@0");
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
    EXPECT_EQ(crew.state("other@1"), State::Stopping);
}

TEST(RollingRestart, UsesTheNewestSettings) {
    auto spec = with_readiness();
    spec.instances = {"0", "1"};
    Crew crew(std::vector{spec});
    crew.bring_up();
    spec.description = "new";
    crew.configure({spec});
    crew.roll();
    replace(crew, "web@0");
    EXPECT_EQ(crew.at("web@0").spec().description, "new");
}

}  // namespace
}  // namespace procsup
