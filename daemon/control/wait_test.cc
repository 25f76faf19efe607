#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

JobSpec oneshot(const std::string& name) {
    auto spec = job(name);
    spec.type = JobType::Oneshot;
    spec.restart.when = Restart::No;
    return spec;
}

struct Wait : testing::Test {
    ControlBox box{{job("web"), job("pair", {"a", "b"}), oneshot("once")}};
    ControlClient client{box};

    void start(const std::string& name) { box.supervisor.start(box.instance(name).id(), "test", box.loop.now()); }
    void stop(const std::string& name) { box.supervisor.stop(box.instance(name).id(), "test", box.loop.now()); }
};

TEST_F(Wait, ForReadyAnswersWhenItsProgramRuns) {
    client.send("Job.Wait", R"({"names":["web"],"for":"ready"})");
    start("web");
    box.turn();
    EXPECT_TRUE(client.take().empty());
    box.executes("web", 77);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.pid"], "77");
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["web"],"for":"ready"})")["outcomes.0.ok"], "true");
}

TEST_F(Wait, ForReadyOfAOneshotAnswersWhenItHasEndedWell) {
    client.send("Job.Wait", R"({"names":["once"],"for":"ready"})");
    start("once");
    box.executes("once");
    EXPECT_TRUE(client.take().empty());
    box.ends("once", ExitStatus::exited(0));
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Wait, ForReadyAnswersNotOkWhenItHasFailed) {
    client.send("Job.Wait", R"({"names":["once"],"for":"ready"})");
    start("once");
    box.cannot_start("once", SpawnStage::Exec, EACCES);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"], "failed");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
}

TEST_F(Wait, ForReadyWaitsForAll) {
    client.send("Job.Wait", R"({"names":["pair@*","web"],"for":"ready"})");
    for (const auto* name : {"web", "pair@b", "pair@a"}) {
        start(name);
        box.turn();
        EXPECT_TRUE(client.take().empty()) << name;
        box.executes(name);
    }
    EXPECT_EQ(client.take_one().count("outcomes"), 3u);
}

TEST_F(Wait, ForStoppedAnswersWhenNoProcessIsLeft) {
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["web"],"for":"stopped"})")["outcomes.0.ok"], "true");
    start("web");
    box.executes("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"stopped"})");
    stop("web");
    box.turn();
    EXPECT_TRUE(client.take().empty());
    box.ends("web", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(client.take_one()["outcomes.0.state"], "stopped");
}

TEST_F(Wait, ForStoppedTakesExitedAndFailedForIt) {
    start("once");
    box.executes("once");
    client.send("Job.Wait", R"({"names":["once"],"for":"stopped"})");
    box.ends("once", ExitStatus::exited(4));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"], "failed");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.exitCode"], "4");
}

TEST_F(Wait, ForStoppedOfAOneshotThatIsUpAnswersWhenItWasTakenDown) {
    start("once");
    box.executes("once");
    box.ends("once", ExitStatus::exited(0));
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["once"],"for":"exit"})")["outcomes.0.exitCode"], "0");
    client.send("Job.Wait", R"({"names":["once"],"for":"stopped"})");
    EXPECT_TRUE(client.take().empty());
    stop("once");
    box.turn();
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.state"] + " " + answer["outcomes.0.ok"], "stopped true");
}

TEST_F(Wait, ForStoppedTakesACommandThatWasRunOnceAndHasEndedForStopped) {
    auto spec = oneshot("now");
    ASSERT_TRUE(box.supervisor.run_transient(std::move(spec), "test", box.loop.now()).has_value());
    box.executes("now");
    client.send("Job.Wait", R"({"names":["now"],"for":"stopped"})");
    EXPECT_TRUE(client.take().empty());
    box.ends("now", ExitStatus::exited(0));
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Wait, ForStoppedDoesNotTakeAPauseBetweenRunsForTheEnd) {
    start("web");
    box.executes("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"stopped"})");
    box.ends("web", ExitStatus::exited(1));
    box.executes("web");
    box.ends("web", ExitStatus::exited(1));
    ASSERT_EQ(box.instance("web").state(), State::Backoff);
    EXPECT_TRUE(client.take().empty());
    stop("web");
    box.turn();
    EXPECT_EQ(client.take_one()["outcomes.0.state"], "stopped");
}

TEST_F(Wait, ForExitAnswersAtTheEndOfTheRunAlthoughTheNextHasBegun) {
    start("web");
    box.executes("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"exit"})");
    EXPECT_TRUE(client.take().empty());
    box.ends("web", ExitStatus::exited(7));
    ASSERT_EQ(box.instance("web").state(), State::Starting);
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.exitCode"], "7");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
}

TEST_F(Wait, ForExitTellsHowLongTheRunWasFromItsProgramToItsEnd) {
    start("web");
    box.executes("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"exit"})");
    box.loop.put_forward(3s);
    stop("web");
    box.loop.put_forward(4s);
    box.ends("web", ExitStatus::exited(7));
    const auto answer = client.take_one();
    const auto lasted =
        std::stoll(answer["outcomes.0.lastRun.endedUSec"]) - std::stoll(answer["outcomes.0.lastRun.startedUSec"]);
    EXPECT_GE(lasted, 7'000'000);
    EXPECT_LT(lasted, 8'000'000);
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["web"],"for":"stopped"})")["outcomes.0.lastRun"], "null");
}

TEST_F(Wait, ForExitAnswersAtOnceWhenNoneRuns) {
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["web"],"for":"exit"})")["outcomes.0.state"], "stopped");
}

TEST_F(Wait, TimesOutWithTheStateReached) {
    start("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"ready","timeoutUSec":3600000000})");
    box.turn();
    EXPECT_TRUE(client.take().empty());
    box.pass(1h + 10ms);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "io.procsupd.Job.TimedOut");
    EXPECT_EQ(answer["outcomes.0.state"] + answer["outcomes.0.ok"], "startingfalse");
}

/// What `name` is said to lack when a call about it has not been answered in time.
std::string missing_of(ControlClient& client, const std::string& method, const std::string& name) {
    const auto what = method == "Wait" ? R"(,"for":"ready")" : "";
    const auto answer = client.call("Job." + method, R"({"names":[")" + name + R"("])" + what + R"(,"timeoutUSec":0})");
    EXPECT_EQ(answer.error, "io.procsupd.Job.TimedOut");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    return answer["outcomes.0.missing"];
}

TEST_F(Wait, ThatTimesOutTellsWhatEachStillWaitsFor) {
    auto slow = job("slow");
    slow.readiness.kind = Readiness::Kind::Notify;
    slow.readiness.timeout = 90s;
    auto after = job("after");
    after.dependencies.requirements = {{"slow"}};
    auto prepared = job("prepared");
    prepared.hooks = {{Hook::PreStart, {{"/bin/prepare"}, "/bin/prepare"}}};
    prepared.start_timeout = 60s;
    box.configure({slow, after, prepared, oneshot("once"), job("web")});
    const auto missing = [&](const std::string& method, const std::string& name) {
        auto text = missing_of(client, method, name);
        return text.substr(0, text.find(" ("));
    };
    EXPECT_EQ(missing("Start", "after"), "waits for slow to be ready");
    EXPECT_EQ(missing("Start", "slow"), "waits for its program to be executed");
    box.executes("slow");
    EXPECT_EQ(missing("Wait", "slow"), "not ready: waits for notify");
    EXPECT_NE(missing_of(client, "Start", "slow").find("s left)"), std::string::npos);
    EXPECT_EQ(missing("Start", "prepared"), "waits for pre_start to end");
    start("once");
    box.executes("once");
    EXPECT_EQ(missing("Wait", "once"), "not ready: waits for its end");
    start("web");
    box.executes("web");
    EXPECT_EQ(missing_of(client, "Start", "web"), "has to run for min_uptime (1s)");
    box.ends("web", ExitStatus::exited(1));
    box.executes("web");
    box.ends("web", ExitStatus::exited(1));
    EXPECT_EQ(missing("Wait", "web").find("next start in "), 0u);
}

TEST_F(Wait, TimesOutWithTheAnswerWhenBothComeTogether) {
    start("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"ready","timeoutUSec":3600000000})");
    const auto incarnation = box.instance("web").incarnation();
    box.supervisor.spawned(incarnation, 9, box.loop.now());
    box.supervisor.execed(incarnation, box.loop.now());
    box.loop.put_forward(2h);
    box.loop.run_while_busy();  // the timer, before anyone has looked at the transitions
    box.turn();
    EXPECT_EQ(client.take_one().error, "");
}

TEST_F(Wait, IsForgottenWhenItsCallerLeaves) {
    start("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"ready","timeoutUSec":3600000000})");
    client.leave();
    box.executes("web");
    box.pass(2h);
    ControlClient other(box);
    EXPECT_EQ(other.call("Job.Wait", R"({"names":["web"],"for":"ready"})")["outcomes.0.ok"], "true");
}

TEST_F(Wait, IsForgottenWhenItsCallerLeavesInTheTurnOfTheAnswer) {
    start("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"ready","timeoutUSec":3600000000})");
    const auto incarnation = box.instance("web").incarnation();
    box.supervisor.spawned(incarnation, 9, box.loop.now());
    box.supervisor.execed(incarnation, box.loop.now());
    client.leave();
    box.pass(2h);
    EXPECT_EQ(box.instance("web").state(), State::Running);
}

TEST_F(Wait, OfManyCallersEndsForEach) {
    start("web");
    std::vector<std::unique_ptr<ControlClient>> others;
    for (int i = 0; i < 10; ++i) {
        others.push_back(std::make_unique<ControlClient>(box));
        others.back()->send("Job.Wait", R"({"names":["web","web@*","w*"],"for":"ready"})");
        others.back()->take();  // "web@*" means nothing here
        others.back()->send("Job.Wait", R"({"names":["web"],"for":"ready"})");
    }
    others[3]->leave();
    box.executes("web");
    for (std::size_t i = 0; i < others.size(); ++i) {
        if (i != 3) {
            EXPECT_EQ(others[i]->take_one()["outcomes.0.ok"], "true") << i;
        }
    }
}

TEST_F(Wait, EndsWhenItsJobLeavesTheConfiguration) {
    start("web");
    box.executes("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"stopped"})");
    box.configure({job("pair", {"a", "b"}), oneshot("once")});
    EXPECT_TRUE(client.take().empty());
    box.ends("web", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Wait, ForReadyEndsWhenAStoppedJobLeavesTheConfiguration) {
    client.send("Job.Wait", R"({"names":["web"],"for":"ready"})");
    box.configure({job("pair", {"a", "b"}), oneshot("once")});
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.name"], "web");
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
}

}  // namespace
}  // namespace procsup
