#include "daemon/engine/crew_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

JobSpec living(Duration lifetime, double variance = 0) {
    JobSpec spec;
    spec.max_lifetime = lifetime;
    spec.max_lifetime_variance = variance;
    return spec;
}

TEST(MaxLifetime, ReplacesARunThatIsWell) {
    Crew crew(living(1h), {});
    crew.bring_up();
    crew.fire("web", TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web"), State::Stopping);
    EXPECT_EQ(crew.at("web").cause(), "max_lifetime (1h) reached");
    crew.end("web", ExitStatus::killed(15));
    EXPECT_EQ(crew.state("web"), State::Starting);
    EXPECT_EQ(crew.at("web").cause(), "max_lifetime (1h) reached");
}

TEST(MaxLifetime, IsNoFailureAndNoAutomaticStart) {
    auto spec = living(2s);
    spec.restart.start_limit = {1, 60s};
    spec.restart.when = Restart::No;
    Crew crew(spec, {});
    crew.start("web");
    for (int i = 0; i < 5; ++i) {
        crew.run("web");
        crew.fire("web", TimerKind::MaxLifetime);
        crew.end("web", ExitStatus::killed(9));
        ASSERT_EQ(crew.state("web"), State::Starting);
    }
    EXPECT_EQ(crew.at("web").restarts(), 0u);
}

TEST(MaxLifetime, IsDrawnAnewForEachRun) {
    Crew crew(living(1h, 0.5), {});
    crew.start("web");
    std::set<Duration> lifetimes;
    for (int i = 0; i < 20; ++i) {
        crew.run("web");
        const auto lifetime =
            std::chrono::duration_cast<Duration>(crew.timer("web", TimerKind::MaxLifetime)->when - crew.fakes.now);
        EXPECT_GE(lifetime, 30min);
        EXPECT_LE(lifetime, 90min);
        lifetimes.insert(lifetime);
        crew.fire("web", TimerKind::MaxLifetime);
        crew.end("web");
    }
    EXPECT_GT(lifetimes.size(), 10u);
}

TEST(MaxLifetime, IsNeverShorterThanMinUptime) {
    auto spec = living(10s, 1);
    spec.restart.min_uptime = 9s;
    Crew crew(spec, {});
    crew.start("web");
    for (int i = 0; i < 20; ++i) {
        crew.run("web");
        EXPECT_GE(crew.timer("web", TimerKind::MaxLifetime)->when - crew.fakes.now, 9s);
        crew.fire("web", TimerKind::MaxLifetime);
        crew.end("web");
    }
}

TEST(MaxLifetime, OfSeveralInstancesReplacesOneAtATime) {
    auto spec = living(1h);
    spec.readiness.kind = Readiness::Kind::Notify;
    Crew crew(spec);
    crew.bring_up();
    for (const auto* name : {"web@0", "web@1", "web@2"}) crew.fire(name, TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web@0"), State::Stopping);
    EXPECT_EQ(crew.state("web@1"), State::Running);
    crew.end("web@0");
    crew.run("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Running);
    crew.ready("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
    EXPECT_EQ(crew.state("web@2"), State::Running);
}

TEST(MaxLifetime, WaitsForMinUptimeOfTheOthersWhereReadinessIsNotKnown) {
    Crew crew(living(1h));
    crew.bring_up();
    crew.fire("web@0", TimerKind::MaxLifetime);
    crew.fire("web@1", TimerKind::MaxLifetime);
    crew.end("web@0");
    crew.run("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Running);
    ASSERT_NE(crew.timer("web@1", TimerKind::MaxLifetime), nullptr);
    EXPECT_EQ(crew.timer("web@1", TimerKind::MaxLifetime)->when, crew.fakes.now + 1s);
    crew.fire("web@1", TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
}

TEST(MaxLifetime, DoesNotWaitForAnInstanceThatIsStopped) {
    Crew crew(living(1h));
    crew.bring_up();
    crew.stop("web@2");
    crew.end("web@2");
    crew.fire("web@0", TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web@0"), State::Stopping);
}

TEST(MaxLifetime, WaitsUntilTheRunIsReady) {
    auto spec = living(1h);
    spec.readiness.kind = Readiness::Kind::Notify;
    Crew crew(spec, {});
    crew.start("web");
    crew.run("web");
    crew.fire("web", TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web"), State::Running);
    crew.ready("web");
    EXPECT_EQ(crew.state("web"), State::Stopping);
}

TEST(MaxLifetime, WaitsForTheEndOfARollingRestart) {
    auto spec = living(1h);
    spec.readiness.kind = Readiness::Kind::Notify;
    Crew crew(spec, {"0", "1"});
    crew.bring_up();
    crew.roll();
    crew.fire("web@1", TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web@1"), State::Running);
    crew.end("web@0");
    crew.run("web@0");
    crew.stop("web@0");
    EXPECT_EQ(crew.fakes.rolls.size(), 1u);
    EXPECT_EQ(crew.state("web@1"), State::Running);
    crew.end("web@0");
    EXPECT_EQ(crew.state("web@1"), State::Stopping);
}

/// "web" with a lifetime, and "db", which it requires to start but not to run on.
Crew with_requirement() {
    auto web = living(1h);
    web.name = "web";
    web.dependencies.requirements = {{"db", Requirement::Condition::Started, Requirement::OnRestart::Ignore}};
    JobSpec db;
    db.name = "db";
    return Crew(std::vector{db, web});
}

TEST(MaxLifetime, WaitsUntilWhatTheJobRequiresIsThere) {
    auto crew = with_requirement();
    crew.bring_up("db");
    crew.bring_up("web");
    crew.end("db", ExitStatus::exited(1));
    crew.fire("web", TimerKind::MaxLifetime);
    EXPECT_EQ(crew.state("web"), State::Running);
    crew.run("db");
    EXPECT_EQ(crew.state("web"), State::Stopping);
}

TEST(MaxLifetime, NoLongerWaitsForWhatTheJobNoLongerRequires) {
    auto crew = with_requirement();
    crew.bring_up("db");
    crew.bring_up("web");
    crew.end("db", ExitStatus::exited(1));
    crew.fire("web", TimerKind::MaxLifetime);
    auto web = crew.at("web").spec();
    web.dependencies = {};
    crew.configure({crew.at("db").spec(), web});
    EXPECT_EQ(crew.state("web"), State::Stopping);
    EXPECT_EQ(crew.at("web").cause(), "max_lifetime (1h) reached");
}

TEST(MaxLifetime, GoesOnThroughAPauseAndBoundsNoOneshot) {
    Crew crew(living(1h), {});
    crew.start("web");
    crew.run("web");
    const auto due = crew.timer("web", TimerKind::MaxLifetime)->when;
    crew.supervisor.pause(crew.at("web").id(), "pause", crew.fakes.now);
    EXPECT_EQ(crew.timer("web", TimerKind::MaxLifetime), nullptr);
    crew.pass(1min);
    crew.supervisor.resume(crew.at("web").id(), "resume", crew.fakes.now);
    EXPECT_EQ(crew.timer("web", TimerKind::MaxLifetime)->when, due);
    auto spec = living(1h);
    spec.type = JobType::Oneshot;
    Crew once(spec, {});
    once.start("web");
    once.run("web");
    EXPECT_EQ(once.timer("web", TimerKind::MaxLifetime), nullptr);
}

TEST(MaxLifetime, StandsBesideRunTimeoutWhichIsAFailure) {
    auto spec = living(1h);
    spec.run_timeout = 50min;
    Crew crew(spec, {});
    crew.start("web");
    crew.run("web");
    crew.fire("web", TimerKind::RunTimeout);
    crew.end("web", ExitStatus::killed(15));
    EXPECT_EQ(crew.at("web").restarts(), 1u);
    EXPECT_NE(crew.timer("web", TimerKind::StartTimeout), nullptr);
    EXPECT_EQ(crew.timer("web", TimerKind::MaxLifetime), nullptr);
}

}  // namespace
}  // namespace procsup
