#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// So long that no test, however slow, passes it by itself.
constexpr Duration kMinUptime = 1h;

JobSpec service(const std::string& name, std::vector<std::string> instances = {}) {
    auto spec = job(name, std::move(instances));
    spec.restart.min_uptime = kMinUptime;
    return spec;
}

JobSpec oneshot(const std::string& name) {
    auto spec = job(name);
    spec.type = JobType::Oneshot;
    spec.restart.when = Restart::No;
    spec.stop_command = {{"/bin/undo"}, "/bin/undo"};
    return spec;
}

struct Orders : testing::Test {
    ControlBox box{{service("web"), service("pair", {"a", "b"}), oneshot("once")}};
    ControlClient client{box};

    /// Has proven itself.
    void bring_up(const std::string& name) {
        box.supervisor.start(box.instance(name).id(), "start", box.loop.now());
        box.executes(name);
        box.pass(2 * kMinUptime);
    }
    /// "once" is up.
    void run_once() {
        box.supervisor.start(box.instance("once").id(), "start", box.loop.now());
        box.executes("once");
        box.ends("once", ExitStatus::exited(0));
    }
    /// Its stop_command has ended.
    void undone(ExitStatus status) {
        box.supervisor.exited(box.engine.last_beside, status, true, box.loop.now());
        box.turn();
    }
};

TEST_F(Orders, StartAnswersWhenMinUptimeHasPassed) {
    client.send("Job.Start", R"({"names":["web"]})");
    box.executes("web", 321);
    box.pass(kMinUptime / 2);
    EXPECT_TRUE(client.take().empty());
    box.pass(kMinUptime / 2 + 10ms);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer["outcomes.0.name"], "web");
    EXPECT_EQ(answer["outcomes.0.state"], "running");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.pid"], "321");
    EXPECT_EQ(answer["outcomes.0.exitCode"], "null");
}

TEST_F(Orders, StartOfWhatHasRunLongAnswersAtOnce) {
    bring_up("web");
    const auto spawns = box.engine.calls.size();
    EXPECT_EQ(client.call("Job.Start", R"({"names":["web"]})")["outcomes.0.ok"], "true");
    EXPECT_EQ(box.engine.calls.size(), spawns);
}

TEST_F(Orders, StartFailsWhenTheFirstLifeIsTooShortAlthoughASuccessorRuns) {
    client.send("Job.Start", R"({"names":["web"]})");
    box.executes("web");
    box.ends("web", ExitStatus::exited(3));
    ASSERT_EQ(box.instance("web").state(), State::Starting);  // quick death number 1: again at once
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.exitCode"], "3");
    EXPECT_EQ(answer["outcomes.0.cause"], "restarted after exit 3");
}

TEST_F(Orders, StartFailsWhenTheProgramCannotBeExecuted) {
    auto spec = service("broken");
    spec.restart.when = Restart::No;
    box.configure({spec});
    client.send("Job.Start", R"({"names":["broken"]})");
    box.cannot_start("broken", SpawnStage::Exec, ENOENT);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.state"], "failed");
    EXPECT_EQ(answer["outcomes.0.cause"], "cannot exec /bin/broken: No such file or directory");
}

TEST_F(Orders, StartFailsWhenSomeoneElseStopsItMeanwhile) {
    client.send("Job.Start", R"({"names":["web"]})");
    box.executes("web");
    ControlClient other(box);
    other.send("Job.Stop", R"({"names":["web"]})");
    box.ends("web", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "false");
    const auto stopped = other.take_one();
    EXPECT_EQ(stopped["outcomes.0.ok"], "true");
    EXPECT_EQ(stopped["outcomes.0.exitSignal"], "SIGTERM");
}

TEST_F(Orders, StartWhileItStopsWaitsForTheRunThatFollows) {
    bring_up("web");
    ControlClient other(box);
    other.send("Job.Stop", R"({"names":["web"],"wait":false})");
    client.send("Job.Start", R"({"names":["web"]})");
    box.ends("web", ExitStatus::killed(SIGTERM));
    EXPECT_TRUE(client.take().empty());
    box.executes("web", 222);
    box.pass(kMinUptime + 10ms);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.pid"], "222");
}

TEST_F(Orders, StartOfAOneshotAnswersWhenItHasEnded) {
    client.send("Job.Start", R"({"names":["once"]})");
    box.executes("once");
    box.pass(2 * kMinUptime);
    EXPECT_TRUE(client.take().empty());
    box.ends("once", ExitStatus::exited(0));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"], "exited");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.exitCode"], "0");
}

TEST_F(Orders, StartOfAOneshotThatIsUpDoesNothing) {
    run_once();
    box.engine.calls.clear();
    const auto answer = client.call("Job.Start", R"({"names":["once"]})");
    EXPECT_EQ(answer["outcomes.0.state"] + " " + answer["outcomes.0.ok"], "exited true");
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(Orders, StopOfAOneshotThatIsUpAnswersWhenItIsUndone) {
    run_once();
    client.send("Job.Stop", R"({"names":["once"]})");
    EXPECT_TRUE(client.take().empty());
    undone(ExitStatus::exited(0));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"] + " " + answer["outcomes.0.ok"], "stopped true");
}

TEST_F(Orders, StopOfAOneshotThatIsNotUndoneIsNotOkOnce) {
    run_once();
    client.send("Job.Stop", R"({"names":["once"]})");
    undone(ExitStatus::exited(3));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"] + " " + answer["outcomes.0.ok"], "stopped false");
    EXPECT_EQ(answer["outcomes.0.cause"], "its stop_command failed: exit 3");
    EXPECT_EQ(client.call("Job.Stop", R"({"names":["once"]})")["outcomes.0.ok"], "true") << "it has nothing to undo";
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["once"],"for":"stopped"})")["outcomes.0.ok"], "true");
}

TEST_F(Orders, RestartOfAOneshotThatIsNotUndoneAnswersForItsNewRun) {
    run_once();
    client.send("Job.Restart", R"({"names":["once"]})");
    undone(ExitStatus::exited(3));
    EXPECT_TRUE(client.take().empty());
    box.executes("once");
    box.ends("once", ExitStatus::exited(0));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"] + " " + answer["outcomes.0.ok"], "exited true");
}

TEST_F(Orders, StartOfAOneshotThatFailsIsNotOk) {
    client.send("Job.Start", R"({"names":["once"]})");
    box.executes("once");
    box.ends("once", ExitStatus::exited(2));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"], "failed");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.exitCode"], "2");
}

TEST_F(Orders, AnswersForAllInstancesWhenTheLastHasSettled) {
    client.send("Job.Start", R"({"names":["pair"]})");
    box.executes("pair@b", 12);
    box.ends("pair@b", ExitStatus::exited(1));
    EXPECT_TRUE(client.take().empty());
    box.executes("pair@a", 11);
    box.pass(kMinUptime + 10ms);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.count("outcomes"), 2u);
    EXPECT_EQ(answer["outcomes.0.name"] + answer["outcomes.0.ok"], "pair@atrue");
    EXPECT_EQ(answer["outcomes.1.name"] + answer["outcomes.1.ok"], "pair@bfalse");
}

TEST_F(Orders, NamesThatOverlapGiveEachInstanceOnce) {
    const auto answer = client.call("Job.Start", R"({"names":["pair@a","pair","pair@*"],"wait":false})");
    EXPECT_EQ(answer.count("outcomes"), 2u);
    EXPECT_EQ(box.engine.calls.size(), 2u);
}

TEST_F(Orders, WithoutWaitingAnswersWhenTheOrderIsGiven) {
    const auto answer = client.call("Job.Start", R"({"names":["web"],"wait":false})");
    EXPECT_EQ(answer["outcomes.0.state"], "starting");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(box.engine.calls, std::vector<std::string>{"spawn web"});
}

TEST_F(Orders, StopAnswersWhenNoProcessIsLeft) {
    bring_up("web");
    client.send("Job.Stop", R"({"names":["web"]})");
    EXPECT_EQ(box.engine.calls.back(), "signal 15");
    EXPECT_TRUE(client.take().empty());
    const auto incarnation = box.instance("web").incarnation();
    box.supervisor.exited(incarnation, ExitStatus::exited(0), false, box.loop.now());
    box.turn();
    EXPECT_TRUE(client.take().empty());  // others of its tree live
    box.supervisor.tree_empty(incarnation, box.loop.now());
    box.turn();
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"], "stopped");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.pid"], "null");
}

TEST_F(Orders, StopOfWhatDoesNotRunIsOkAtOnce) {
    EXPECT_EQ(client.call("Job.Stop", R"({"names":["web"]})")["outcomes.0.ok"], "true");
}

TEST_F(Orders, StopNamesItsCallerAsTheCause) {
    bring_up("web");
    client.send("Job.Stop", R"({"names":["web"]})");
    const auto who = "stop asked by uid " + std::to_string(geteuid()) + " (pid " + std::to_string(getpid()) + ")";
    EXPECT_EQ(box.instance("web").cause(), who);
}

TEST_F(Orders, RestartIsNotSettledByTheRunItEnds) {
    bring_up("web");
    client.send("Job.Restart", R"({"names":["web"]})");
    EXPECT_TRUE(client.take().empty());  // still the old process
    box.ends("web", ExitStatus::killed(SIGTERM));
    EXPECT_TRUE(client.take().empty());
    box.executes("web", 999);
    EXPECT_TRUE(client.take().empty());
    box.pass(kMinUptime + 10ms);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.pid"], "999");
}

TEST_F(Orders, RestartFailsWhenTheNewRunIsTooShort) {
    bring_up("web");
    client.send("Job.Restart", R"({"names":["web"]})");
    box.ends("web", ExitStatus::killed(SIGTERM));
    box.executes("web");
    box.ends("web", ExitStatus::exited(9));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.exitCode"], "9");
}

TEST_F(Orders, RestartStartsWhatIsStopped) {
    client.send("Job.Restart", R"({"names":["web"]})");
    box.executes("web");
    box.pass(kMinUptime + 10ms);
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Orders, TimeOutSaysHowFarItCameAndTheOrderStands) {
    client.send("Job.Start", R"({"names":["pair"],"timeoutUSec":60000000})");
    box.executes("pair@a");
    box.executes("pair@b");
    box.ends("pair@b", ExitStatus::exited(1));
    box.pass(59s);
    EXPECT_TRUE(client.take().empty());
    box.pass(2s);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "io.procsupd.Job.TimedOut");
    EXPECT_NE(answer["message"], "null");
    EXPECT_EQ(answer["outcomes.0.state"] + answer["outcomes.0.ok"], "runningfalse");
    EXPECT_EQ(answer["outcomes.1.state"] + answer["outcomes.1.ok"], "startingfalse");
    EXPECT_EQ(box.instance("pair@a").state(), State::Running);
    EXPECT_TRUE(box.instance("pair@b").wanted());
}

TEST_F(Orders, TimeOutOfNothingAnswersAtOnce) {
    EXPECT_EQ(client.call("Job.Start", R"({"names":["web"],"timeoutUSec":0})").error, "io.procsupd.Job.TimedOut");
    EXPECT_EQ(box.instance("web").state(), State::Starting);
}

TEST_F(Orders, TimeOutBeyondAllTimeIsNone) {
    client.send("Job.Start", R"({"names":["web"],"timeoutUSec":9223372036854775807})");
    box.pass(1000h);
    EXPECT_TRUE(client.take().empty());
    box.executes("web");
    box.pass(kMinUptime + 10ms);
    EXPECT_EQ(client.take_one().error, "");
}

TEST_F(Orders, StandWhenTheirCallerLeaves) {
    client.send("Job.Start", R"({"names":["web"],"timeoutUSec":60000000})");
    client.leave();
    box.executes("web");
    box.pass(2 * kMinUptime);
    EXPECT_EQ(box.instance("web").state(), State::Running);
    ControlClient other(box);
    EXPECT_EQ(other.call("Job.Start", R"({"names":["web"]})")["outcomes.0.ok"], "true");
}

TEST_F(Orders, StopTellsWhatItTakesAlongWithWhat) {
    auto shop = service("shop"), till = service("till");
    shop.dependencies.requirements = {{"web"}};
    till.dependencies.requirements = {{"shop"}};
    box.configure({service("web"), shop, till});
    for (const auto* name : {"web", "shop", "till"}) bring_up(name);
    client.send("Job.Stop", R"({"names":["web"],"cascade":true})");
    for (const auto* name : {"till", "shop", "web"}) box.ends(name, ExitStatus::killed(SIGTERM));
    const auto answer = client.take_one();
    EXPECT_EQ(answer.count("outcomes"), 3u);
    const auto by = "stop asked by uid " + std::to_string(geteuid()) + " (pid " + std::to_string(getpid()) + ")";
    const std::string killed = "; killed by SIGTERM";
    EXPECT_EQ(box.instance("web").cause(), by + killed);
    EXPECT_EQ(box.instance("shop").cause(), by + ", with web" + killed);
    EXPECT_EQ(box.instance("till").cause(), by + ", with web" + killed);
}

TEST_F(Orders, StopAnswersNotOkWhenSomebodyStartsItAgainMeanwhile) {
    bring_up("web");
    client.send("Job.Stop", R"({"names":["web"]})");
    ControlClient other(box);
    other.send("Job.Start", R"({"names":["web"]})");
    box.ends("web", ExitStatus::exited(0));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_TRUE(answer["outcomes.0.cause"].starts_with("it was started again: start asked by "));
}

TEST_F(Orders, NothingStartsWhatEndsBecauseItIsNoLongerConfigured) {
    bring_up("web");
    box.configure({service("other")});
    for (const auto* method : {"Job.Start", "Job.Restart"}) {
        for (const auto* wait : {"true", "false"}) {
            const auto answer = client.call(method, std::string(R"({"names":["web"],"wait":)") + wait + "}");
            EXPECT_EQ(answer["outcomes.0.refused"], "true");
            EXPECT_EQ(answer["outcomes.0.cause"], "it has been removed, and stops for that");
        }
    }
    client.send("Job.Stop", R"({"names":["web"]})");
    box.ends("web", ExitStatus::exited(0));
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
    EXPECT_TRUE(box.supervisor.select("web").empty());
}

TEST_F(Orders, EndWithTheirBoxWhileCallersWait) {
    client.send("Job.Start", R"({"names":["web"],"timeoutUSec":60000000})");
    box.control.reset();
    EXPECT_TRUE(client.take().empty());
}

TEST_F(Orders, ReloadSendsTheJobsSignalToTheMainProcess) {
    auto spec = service("custom");
    spec.reload_signal = SIGUSR2;
    box.configure({spec});
    bring_up("custom");
    const auto answer = client.call("Job.Reload", R"({"names":["custom"]})");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(box.engine.calls.back(), "signal " + std::to_string(SIGUSR2));
}

TEST_F(Orders, ReloadAndSignalAreNotOkForWhatDoesNotRun) {
    EXPECT_EQ(client.call("Job.Reload", R"({"names":["web"]})")["outcomes.0.ok"], "false");
    EXPECT_EQ(client.call("Job.Signal", R"({"names":["web"],"signal":"HUP"})")["outcomes.0.ok"], "false");
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(Orders, WhatCannotBeDoneIsToldWhy) {
    const auto cause_of = [&](const std::string& method) {
        const bool signal = method == "Signal";
        const auto answer =
            client.call("Job." + method, signal ? R"({"names":["web"],"signal":"HUP"})" : R"({"names":["web"]})");
        EXPECT_EQ(answer["outcomes.0.ok"] + " " + answer["outcomes.0.refused"], "false true");
        return answer["outcomes.0.cause"];
    };
    EXPECT_EQ(cause_of("Signal"), "it has no main process");
    EXPECT_EQ(cause_of("Reload"), "only what is running can be reloaded");
    EXPECT_EQ(cause_of("Pause"), "only what is running can be paused");
    bring_up("web");
    EXPECT_EQ(cause_of("Resume"), "it is not paused");
}

TEST_F(Orders, StartOfWhatIsPausedTellsThat) {
    bring_up("web");
    box.supervisor.pause(box.instance("web").id(), "pause", box.loop.now());
    const auto answer = client.call("Job.Start", R"({"names":["web"]})");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.cause"], "it is paused; resume it first");
    EXPECT_EQ(answer["outcomes.0.refused"], "true");
    client.send("Job.Wait", R"({"names":["web"],"for":"ready"})");
    box.turn();
    EXPECT_TRUE(client.take().empty());
    box.supervisor.resume(box.instance("web").id(), "resume", box.loop.now());
    box.turn();
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Orders, ReloadTellsWhyTheCommandForItIsNotRun) {
    auto spec = service("web");
    spec.reload_command = {{"reread"}, "/bin/reread"};
    spec.readiness.kind = Readiness::Kind::Notify;
    box.configure({spec});
    box.supervisor.start(box.instance("web").id(), "start", box.loop.now());
    box.executes("web");
    const auto refusal = [&] { return client.call("Job.Reload", R"({"names":["web"]})")["outcomes.0.cause"]; };
    EXPECT_EQ(refusal(), "it is not ready yet, and reload_command is for what is");
    box.supervisor.pause(box.instance("web").id(), "pause", box.loop.now());
    EXPECT_EQ(refusal(), "it is paused; resume it first");
}

TEST_F(Orders, StartFailsWhenTheFirstLifeIsTooShortAfterTheEndOfOnFailed) {
    auto spec = service("web");
    spec.restart.start_limit = {1, 60s};
    spec.hooks.push_back({Hook::OnFailed, {{"tell"}, "/bin/tell"}});
    box.configure({spec});
    box.supervisor.start(box.instance("web").id(), "start", box.loop.now());
    for (int i = 0; i < 2; ++i) {
        box.executes("web");
        box.ends("web", ExitStatus::exited(1));
    }
    ASSERT_EQ(box.instance("web").state(), State::Stopping);
    client.send("Job.Start", R"({"names":["web"]})");
    box.supervisor.exited(box.engine.last_beside, ExitStatus::exited(0), true, box.loop.now());
    box.executes("web");
    box.ends("web", ExitStatus::exited(3));
    ASSERT_EQ(box.instance("web").state(), State::Starting);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.cause"], "restarted after exit 3");
}

TEST(OrdersOfAnOwner, StartNothingThatOthersHaveStopped) {
    if (!is_root()) GTEST_SKIP() << "only root can connect as another user";
    auto mine = job("mine");
    mine.owner = kStranger;
    mine.dependencies.requirements = {{"db"}};
    ControlBox box{{service("db"), std::move(mine)}};
    ControlClient root{box};
    auto stranger = ControlClient::as_stranger(box);
    root.call("Job.Stop", R"({"names":["db"]})");
    const auto answer = stranger.call("Job.Start", R"({"names":["mine"]})");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.cause"],
              "requires db, which was stopped by order; who may operate it can start it: procsupctl start db");
    EXPECT_EQ(box.instance("db").state(), State::Stopped);
    root.send("Job.Start", R"({"names":["mine"]})");
    EXPECT_EQ(box.instance("db").state(), State::Starting);
}

TEST(OrdersToDaemons, DoNotWaitForWhatNobodyStarts) {
    auto child = job("child");
    child.daemon_of = "parent";
    ControlBox box{{service("parent"), std::move(child)}};
    ControlClient client{box};
    const auto alone = client.call("Job.Start", R"({"names":["child"]})");
    EXPECT_EQ(alone["outcomes.0.state"], "waiting");
    EXPECT_EQ(alone["outcomes.0.ok"], "false");
    client.send("Job.Start", R"({"names":["child","parent"]})");
    EXPECT_TRUE(client.take().empty()) << "both are waited for";
}

TEST_F(Orders, SignalIsReadAsNameOrNumber) {
    bring_up("web");
    for (const auto* name : {"HUP", "SIGHUP", "1"}) {
        const auto parameters = R"({"names":["web"],"signal":")" + std::string(name) + R"("})";
        EXPECT_EQ(client.call("Job.Signal", parameters)["outcomes.0.ok"], "true") << name;
        EXPECT_EQ(box.engine.calls.back(), "signal 1") << name;
    }
}

TEST_F(Orders, ResetForgetsAFailure) {
    client.send("Job.Start", R"({"names":["once"]})");
    box.executes("once");
    box.ends("once", ExitStatus::exited(2));
    ASSERT_EQ(client.take_one()["outcomes.0.state"], "failed");
    const auto answer = client.call("Job.Reset", R"({"names":["once"]})");
    EXPECT_EQ(answer["outcomes.0.state"], "stopped");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
}

}  // namespace
}  // namespace procsup
