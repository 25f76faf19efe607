#include <gtest/gtest.h>

#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Condition = Requirement::Condition;
using OnRestart = Requirement::OnRestart;

using Calls = std::vector<std::string>;

TEST(Dependencies, AreStartedInOrderOnceWhatTheyRequireIsReady) {
    Several jobs;
    jobs.configure({Several::requiring("api", {{"db"}}), Several::job("db"), Several::requiring("web", {{"api"}})});
    EXPECT_EQ(jobs.calls(), Calls{"spawn db"});
    EXPECT_EQ(jobs.state("web"), State::Waiting);
    EXPECT_EQ(jobs.at("web").cause(), "started with the daemon; waits for api to be ready");
    jobs.run("db");
    EXPECT_EQ(jobs.calls(), Calls{"spawn api"});
    jobs.run("api");
    EXPECT_EQ(jobs.calls(), Calls{"spawn web"});
}

TEST(Dependencies, ThatAreIndependentStartAtTheSameTime) {
    Several jobs;
    jobs.configure({Several::job("a"), Several::job("b"), Several::requiring("c", {{"a"}, {"b"}})});
    EXPECT_EQ(jobs.calls(), (Calls{"spawn a", "spawn b"}));
    EXPECT_EQ(jobs.at("c").waits_for(), "a to be ready, b to be ready");
    jobs.run("b");
    EXPECT_EQ(jobs.at("c").waits_for(), "a to be ready");
    EXPECT_EQ(jobs.calls(), Calls{});
    jobs.run("a");
    EXPECT_EQ(jobs.calls(), Calls{"spawn c"});
}

TEST(Dependencies, AStartBringsUpWhatIsRequiredOrWantedAndNothingThatIsOnlyAfter) {
    Several jobs;
    auto web = Several::resting(Several::requiring("web", {{"db"}}));
    web.dependencies.wants = {"cache"};
    web.dependencies.after = {"log"};
    jobs.configure({web, Several::resting(Several::requiring("db", {{"disk"}})), Several::resting(Several::job("disk")),
                    Several::resting(Several::job("cache")), Several::resting(Several::job("log"))});
    EXPECT_EQ(jobs.calls(), Calls{});
    jobs.start("web");
    EXPECT_EQ(jobs.calls(), (Calls{"spawn cache", "spawn disk"}));
    EXPECT_EQ(jobs.at("disk").cause(), "required by db");
    EXPECT_EQ(jobs.at("cache").cause(), "wanted by web");
    EXPECT_EQ(jobs.state("log"), State::Stopped);
}

/// "web" of user 7, which requires "db", and "log", which it wants; started by that user.
class ByItsOwner : public Several {
public:
    explicit ByItsOwner(JobSpec db = job("db")) {
        auto web = resting(requiring("web", {{"db"}}));
        web.dependencies.wants = {"log"};
        web.owner = 7;
        configure({resting(std::move(db)), resting(job("log")), web});
    }
    void start_web() { supervisor.start(supervisor.select("web"), "start asked", fakes.now, {7}); }
};

TEST(Dependencies, ThatOthersHaveStoppedAreNotStartedForTheOwnerOfAJob) {
    ByItsOwner jobs;
    for (const char* name : {"db", "log"}) {
        jobs.start(name);
        jobs.run(name);
        jobs.stop({name});
        jobs.exit(name);
    }
    jobs.calls();
    jobs.start_web();
    EXPECT_EQ(jobs.calls(), Calls{});
    EXPECT_EQ(jobs.at("web").cause(),
              "requires db, which was stopped by order; who may operate it can start it: procsupctl start db");
    jobs.start("db");
    jobs.run("db");
    EXPECT_EQ(jobs.calls(), (Calls{"spawn db", "spawn web"})) << "without what it only wants";
}

TEST(Dependencies, ThatWereStoppedBeforeThisDaemonAreNotStartedForTheOwnerOfAJob) {
    auto db = Several::job("db");
    db.restart.when = Restart::UnlessStopped;
    db.manually_stopped = true;
    ByItsOwner jobs(db);
    jobs.start_web();
    EXPECT_EQ(jobs.state("db"), State::Stopped);
}

TEST(Dependencies, ThatNobodyHasStoppedAreStartedForTheOwnerOfAJob) {
    ByItsOwner jobs;
    jobs.start_web();
    EXPECT_EQ(jobs.calls(), (Calls{"spawn db", "spawn log"}));
}

TEST(Dependencies, ThatTheOwnerOfAJobOwnsTooAreStartedForHim) {
    auto db = Several::job("db");
    db.owner = 7;
    ByItsOwner jobs(db);
    jobs.stop({"db"});
    jobs.start_web();
    EXPECT_EQ(jobs.state("db"), State::Starting);
}

TEST(Dependencies, WhatIsOnlyWantedMayFail) {
    Several jobs;
    auto web = Several::job("web");
    web.dependencies.wants = {"cache"};
    jobs.configure({web, Several::job("cache")});
    EXPECT_EQ(jobs.state("web"), State::Waiting);
    jobs.calls();
    jobs.supervisor.not_started(jobs.at("cache").incarnation(), SpawnStage::Exec, 2, jobs.fakes.now);
    jobs.supervisor.not_started(jobs.at("cache").incarnation(), SpawnStage::Exec, 2, jobs.fakes.now);
    EXPECT_EQ(jobs.state("cache"), State::Backoff);
    EXPECT_EQ(jobs.state("web"), State::Starting);
}

TEST(Dependencies, BeforeIsAfterSaidByTheOther) {
    Several jobs;
    auto first = Several::job("zero");
    first.dependencies.before = {"a"};
    jobs.configure({first, Several::job("a")});
    EXPECT_EQ(jobs.calls(), Calls{"spawn zero"});
    jobs.run("zero");
    EXPECT_EQ(jobs.calls(), Calls{"spawn a"});
}

TEST(Dependencies, AConditionMayBeTheEndOfAOneshot) {
    Several jobs;
    auto migrate = Several::job("migrate");
    migrate.type = JobType::Oneshot;
    jobs.configure({migrate, Several::requiring("web", {{"migrate", Condition::ExitedOk}})});
    jobs.run("migrate");
    EXPECT_EQ(jobs.at("web").waits_for(), "migrate to end well");
    jobs.exit("migrate");
    EXPECT_EQ(jobs.state("web"), State::Starting);
}

TEST(Dependencies, AFailedRequirementFailsTheJobAndBringsItBackWithIt) {
    Several jobs;
    auto db = Several::job("db");
    db.restart.when = Restart::No;
    jobs.configure({db, Several::requiring("web", {{"db"}}), Several::requiring("shop", {{"web"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.run("shop");
    jobs.calls();
    jobs.exit("db", 7);
    EXPECT_EQ(jobs.state("db"), State::Failed);
    EXPECT_EQ(jobs.state("web"), State::Stopping);
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    jobs.exit("web");
    EXPECT_EQ(jobs.state("web"), State::Failed);
    EXPECT_EQ(jobs.at("web").cause(), "requires db, which has failed: exit 7");
    EXPECT_EQ(jobs.state("shop"), State::Stopping);
    jobs.exit("shop");
    EXPECT_EQ(jobs.at("shop").cause(), "requires web, which has failed: requires db, which has failed: exit 7");

    jobs.calls();
    jobs.start("db");
    jobs.run("db");
    EXPECT_EQ(jobs.state("web"), State::Starting);
    jobs.run("web");
    jobs.run("shop");
    EXPECT_EQ(jobs.state("shop"), State::Running);
}

TEST(Dependencies, AJobThatWasStoppedByHandDoesNotComeBackWithWhatItRequires) {
    Several jobs;
    auto db = Several::job("db");
    db.restart.when = Restart::No;
    jobs.configure({db, Several::requiring("web", {{"db"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.exit("db", 7);
    jobs.exit("web");
    jobs.stop({"web"});
    EXPECT_EQ(jobs.state("web"), State::Stopped);
    jobs.start("db");
    jobs.run("db");
    EXPECT_EQ(jobs.state("web"), State::Stopped);
}

TEST(Dependencies, AreStoppedInTheReverseOrderEachWhenTheOneBeforeHasEnded) {
    Several jobs;
    jobs.configure({Several::requiring("api", {{"db"}}), Several::job("db"), Several::requiring("web", {{"api"}})});
    for (const auto* name : {"db", "api", "web"}) jobs.run(name);
    jobs.calls();
    jobs.supervisor.shut_down("shutdown", jobs.fakes.now);
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    EXPECT_EQ(jobs.at("db").cause(), "shutdown; waits for api to end");
    jobs.exit("web");
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    EXPECT_TRUE(jobs.at("db").stop_held());
    jobs.exit("api");
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    jobs.exit("db");
    EXPECT_TRUE(jobs.supervisor.idle());
}

TEST(Dependencies, OneThatEndsByItselfWhileItWaitsToBeStoppedIsStopped) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.stop({"db", "web"});
    jobs.exit("db", 3);
    EXPECT_EQ(jobs.state("db"), State::Stopped);
    jobs.exit("web");
    EXPECT_EQ(jobs.state("web"), State::Stopped);
}

TEST(Dependencies, TellWhatAStopWouldTakeAlong) {
    Several jobs;
    auto log = Several::job("log");
    log.dependencies.after = {"db"};
    jobs.configure(
        {Several::job("db"), Several::requiring("api", {{"db"}}), Several::requiring("web", {{"api"}}), log});
    for (const auto* name : {"db", "api", "web", "log"}) jobs.run(name);
    EXPECT_EQ(jobs.supervisor.would_end(jobs.ids({"db"})), jobs.ids({"api", "web"}));
    EXPECT_EQ(jobs.supervisor.would_end(jobs.ids({"db", "api"})), jobs.ids({"web"}));
    EXPECT_TRUE(jobs.supervisor.would_end(jobs.ids({"web"})).empty());
}

TEST(Dependencies, OfSeveralInstancesOneIsEnoughToRunOn) {
    Several jobs;
    auto db = Several::job("db");
    db.instances = {"0", "1"};
    db.restart.when = Restart::No;
    jobs.configure({db, Several::requiring("web", {{"db"}})});
    jobs.run("db@0");
    EXPECT_EQ(jobs.state("web"), State::Waiting);
    jobs.run("db@1");
    jobs.run("web");
    EXPECT_TRUE(jobs.supervisor.would_end(jobs.ids({"db@0"})).empty());
    jobs.exit("db@0", 1);
    EXPECT_EQ(jobs.state("web"), State::Running);
    jobs.exit("db@1", 1);
    EXPECT_EQ(jobs.state("web"), State::Stopping);
}

TEST(Dependencies, ARestartOfWhatIsRequiredLeavesTheJobAloneUnlessItAsksForMore) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("a", {{"db"}}),
                    Several::requiring("b", {{"db", Condition::Ready, OnRestart::Restart}}),
                    Several::requiring("c", {{"db", Condition::Ready, OnRestart::Signal}})});
    for (const auto* name : {"db", "a", "b", "c"}) jobs.run(name);
    jobs.calls();
    jobs.exit("db", 1);
    EXPECT_EQ(jobs.state("db"), State::Starting);
    EXPECT_EQ(jobs.state("a"), State::Running);
    EXPECT_EQ(jobs.state("b"), State::Stopping);
    jobs.exit("b");
    EXPECT_EQ(jobs.state("b"), State::Waiting);
    jobs.calls();
    jobs.run("db");
    EXPECT_EQ(jobs.calls(), (Calls{"spawn b", "signal 1"}));
}

TEST(Dependencies, ARestartByHandEndsWhatRestartsWithItFirst) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db", Condition::Ready, OnRestart::Restart}})});
    jobs.run("db");
    jobs.run("web");
    jobs.calls();
    jobs.restart("db");
    EXPECT_EQ(jobs.state("web"), State::Stopping);
    EXPECT_TRUE(jobs.at("db").stop_held());
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    jobs.exit("web");
    EXPECT_EQ(jobs.state("web"), State::Waiting);
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    jobs.exit("db");
    EXPECT_EQ(jobs.calls(), Calls{"spawn db"});
    jobs.run("db");
    EXPECT_EQ(jobs.calls(), Calls{"spawn web"});
}

TEST(Dependencies, RemovedJobsAreStoppedInOrder) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.calls();
    jobs.configure({});
    EXPECT_EQ(jobs.calls(), Calls{"signal 15"});
    EXPECT_EQ(jobs.supervisor.find(jobs.supervisor.select("db").front())->cause(),
              "removed from the configuration; waits for web to end");
    jobs.exit("web");
    jobs.supervisor.forget_ended();
    EXPECT_EQ(jobs.calls(), (Calls{"signal 15", "forget web"}));
    jobs.exit("db");
    jobs.supervisor.forget_ended();
    EXPECT_TRUE(jobs.supervisor.jobs().empty());
}

TEST(Dependencies, ANewRequirementOfARunningJobIsStarted) {
    Several jobs;
    jobs.configure({Several::resting(Several::job("cache")), Several::job("web")});
    jobs.run("web");
    jobs.calls();
    jobs.configure({Several::resting(Several::job("cache")), Several::requiring("web", {{"cache"}})});
    EXPECT_EQ(jobs.calls(), Calls{"spawn cache"});
    EXPECT_EQ(jobs.state("web"), State::Running);
}

TEST(Dependencies, ThatAreTakenAwayAreNotWaitedForAnyMore) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    EXPECT_EQ(jobs.state("web"), State::Waiting);
    jobs.configure({Several::job("db"), Several::job("web")});
    EXPECT_EQ(jobs.state("web"), State::Starting);
}

TEST(Dependencies, ThatAreTakenAwayHoldUpNoStop) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.stop({"db", "web"});
    EXPECT_TRUE(jobs.at("db").stop_held());
    jobs.configure({Several::job("db"), Several::job("web")});
    EXPECT_FALSE(jobs.at("db").stop_held());
    jobs.exit("db");
    EXPECT_EQ(jobs.state("db"), State::Stopped);
}

TEST(Dependencies, ThatAreJustStoppingAreStartedAgainForWhatRequiresThem) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.stop({"db", "web"});
    jobs.exit("web");
    jobs.start("web");
    EXPECT_EQ(jobs.state("web"), State::Waiting);
    jobs.exit("db");
    EXPECT_EQ(jobs.state("db"), State::Starting);
    jobs.run("db");
    EXPECT_EQ(jobs.state("web"), State::Starting);
}

TEST(Dependencies, InAShutdownEvenADaemonEndsBeforeWhatItRequires) {
    Several jobs;
    auto side = Several::requiring("side", {{"db"}});
    side.daemon_of = "app";
    jobs.configure({Several::job("app"), Several::job("db"), side});
    for (const auto* name : {"app", "db", "side"}) jobs.run(name);
    jobs.calls();
    jobs.supervisor.shut_down("shutdown", jobs.fakes.now);
    EXPECT_TRUE(jobs.at("db").stop_held());
    jobs.exit("app");
    EXPECT_TRUE(jobs.at("db").stop_held());
    jobs.exit("side");
    EXPECT_FALSE(jobs.at("db").stop_held());
    jobs.exit("db");
    EXPECT_TRUE(jobs.supervisor.idle());
}

TEST(Dependencies, AStopTakesAlongWhatIsToBeTriedAgain) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    jobs.run("db");
    for (int i = 0; i < 2; ++i) {
        jobs.run("web");
        jobs.exit("web", 1);
    }
    ASSERT_EQ(jobs.state("web"), State::Backoff);
    EXPECT_EQ(jobs.supervisor.would_end(jobs.ids({"db"})), jobs.ids({"web"}));
}

TEST(Dependencies, AReloadThatChangesNothingOfThemStartsNothingForThem) {
    Several jobs;
    auto web = Several::job("web");
    web.dependencies.wants = {"cache"};
    jobs.configure({Several::job("cache"), web});
    jobs.run("cache");
    jobs.run("web");
    jobs.stop({"cache"});
    jobs.exit("cache");
    web.description = "another text";
    jobs.configure({Several::job("cache"), web});
    EXPECT_EQ(jobs.state("cache"), State::Stopped);
}

TEST(Dependencies, APausedJobThatIsStoppedInItsTurnGoesOnOnlyThen) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    jobs.run("db");
    jobs.run("web");
    jobs.supervisor.pause(jobs.ids({"db"}).front(), "pause", jobs.fakes.now);
    jobs.stop({"db", "web"});
    jobs.calls();
    jobs.exit("web");
    EXPECT_EQ(jobs.calls(), (Calls{"signal 15", "go on"}));
}

TEST(Dependencies, AnEssentialJobThatCannotRunEndsTheDaemon) {
    Several jobs;
    auto db = Several::job("db");
    db.restart.when = Restart::No;
    auto web = Several::requiring("web", {{"db"}});
    web.essential = true;
    jobs.configure({db, web});
    jobs.supervisor.not_started(jobs.at("db").incarnation(), SpawnStage::Exec, 2, jobs.fakes.now);
    EXPECT_EQ(jobs.state("web"), State::Failed);
    EXPECT_EQ(jobs.fakes.end_codes, std::vector<int>{1});
}

TEST(Dependencies, ABackoffOfARequiredJobIsWaitedFor) {
    Several jobs;
    jobs.configure({Several::job("db"), Several::requiring("web", {{"db"}})});
    for (int i = 0; i < 2; ++i) {
        jobs.run("db");
        jobs.exit("db", 1);
    }
    EXPECT_EQ(jobs.state("db"), State::Backoff);
    EXPECT_NE(jobs.state("web"), State::Failed);
}

}  // namespace
}  // namespace procsup
