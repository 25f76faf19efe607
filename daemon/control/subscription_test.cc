#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

struct Subscription : testing::Test {
    ControlBox box{{job("web"), job("pair", {"a", "b"})}};
    ControlClient reader{box};

    /// Three changes: starting, stopping, stopped.
    void change(const std::string& name, const std::string& cause = "test") {
        box.supervisor.start(box.instance(name).id(), cause, box.loop.now());
        box.supervisor.stop(box.instance(name).id(), cause, box.loop.now());
        box.cannot_start(name, SpawnStage::Cancelled, 0);
    }
    std::int64_t sequence() const { return static_cast<std::int64_t>(box.supervisor.last_sequence()); }
};

TEST_F(Subscription, BeginsWithTheStatesAtOneMoment) {
    change("web");
    const auto first = reader.call("Job.Subscribe", "", true);
    EXPECT_TRUE(first.continues);
    EXPECT_EQ(first["snapshot.sequence"], std::to_string(sequence()));
    ASSERT_EQ(first.count("snapshot.instances"), 3u);
    EXPECT_EQ(first["snapshot.instances.0.name"], "pair@a");
    EXPECT_EQ(first["snapshot.instances.2.state"], "stopped");
    EXPECT_EQ(first["event"], "null");
}

TEST_F(Subscription, GoesOnWithEveryChangeWithoutAGap) {
    auto expected = std::stoll(reader.call("Job.Subscribe", "", true)["snapshot.sequence"]);
    for (const auto* name : {"web", "pair@b", "web"}) change(name);
    const auto events = reader.take();
    ASSERT_EQ(events.size(), 9u);
    for (const auto& event : events) {
        EXPECT_TRUE(event.continues);
        EXPECT_EQ(event["event.sequence"], std::to_string(++expected));
    }
    EXPECT_EQ(expected, sequence());
}

TEST_F(Subscription, TellsWhatWhenWhoAndWhy) {
    reader.call("Job.Subscribe", "", true);
    box.supervisor.start(box.instance("web").id(), "by hand", box.loop.now());
    box.executes("web", 31);
    box.supervisor.stop(box.instance("web").id(), "enough", box.loop.now());
    box.ends("web", ExitStatus::killed(SIGTERM));
    const auto events = reader.take();
    ASSERT_EQ(events.size(), 4u);
    EXPECT_EQ(events[0]["event.name"], "web");
    EXPECT_EQ(events[0]["event.from"] + " " + events[0]["event.to"], "stopped starting");
    EXPECT_EQ(events[0]["event.cause"], "by hand");
    EXPECT_EQ(events[0]["event.pid"], "null");
    EXPECT_EQ(events[1]["event.to"] + " " + events[1]["event.pid"], "running 31");
    EXPECT_EQ(events[2]["event.to"] + " " + events[2]["event.exitSignal"], "stopping null");
    EXPECT_EQ(events[3]["event.to"] + " " + events[3]["event.exitSignal"], "stopped SIGTERM");
    EXPECT_EQ(events[3]["event.timeUSec"],
              std::to_string(box.host.wall_time(box.instance("web").since()).time_since_epoch().count()));
}

TEST_F(Subscription, TellsWhatARunTookWithTheChangeThatEndsIt) {
    reader.call("Job.Subscribe", "", true);
    box.supervisor.start(box.instance("web").id(), "by hand", box.loop.now());
    box.executes("web", 31);
    box.supervisor.pause(box.instance("web").id(), "by hand", box.loop.now());
    box.ends("web", ExitStatus::exited(1), {std::chrono::milliseconds(7), {}});
    const auto events = reader.take();
    ASSERT_EQ(events.size(), 4u);
    EXPECT_EQ(events[1]["event.run"], "null");
    EXPECT_EQ(events[3]["event.from"] + " " + events[3]["event.to"], "paused starting");
    EXPECT_EQ(events[3]["event.exitCode"], "1");
    EXPECT_EQ(events[3]["event.run.pid"] + " " + events[3]["event.run.cpuUSec"], "31 7000");
}

TEST_F(Subscription, ThatComesAmongChangesOfOneTurnHasThemInItsSnapshot) {
    reader.call("Job.Subscribe", "", true);
    ControlClient late(box);
    box.supervisor.start(box.instance("web").id(), "test", box.loop.now());  // nobody has looked at it yet
    late.send("Job.Subscribe", "", true);
    const auto snapshot = late.take_one();
    EXPECT_EQ(snapshot["snapshot.sequence"], std::to_string(sequence()));
    EXPECT_EQ(snapshot["snapshot.instances.2.state"], "starting");
    EXPECT_EQ(reader.take_one()["event.to"], "starting");
}

TEST_F(Subscription, OfNamesTellsOnlyOfThese) {
    const auto first = reader.call("Job.Subscribe", R"({"names":["pair@*"]})", true);
    EXPECT_EQ(first.count("snapshot.instances"), 2u);
    change("web");
    EXPECT_TRUE(reader.take().empty());
    change("pair@b");
    const auto events = reader.take();
    ASSERT_EQ(events.size(), 3u);
    for (const auto& event : events) EXPECT_EQ(event["event.name"], "pair@b");
}

TEST_F(Subscription, OfEverythingTellsOfJobsThatComeLater) {
    reader.call("Job.Subscribe", R"({"names":[]})", true);
    auto spec = job("new");
    spec.enabled = true;
    box.configure({job("web"), job("pair", {"a", "b"}), spec});
    EXPECT_EQ(reader.take_one()["event.name"], "new");
}

TEST_F(Subscription, NeedsMore) {
    EXPECT_EQ(reader.call("Job.Subscribe", "").error, "org.varlink.service.ExpectedMore");
}

TEST_F(Subscription, OfAnUnknownNameIsRefused) {
    EXPECT_EQ(reader.call("Job.Subscribe", R"({"names":["nope"]})", true).error, "io.procsupd.Job.NoSuchJob");
}

TEST_F(Subscription, OfASlowReaderLosesAndTellsHowMany) {
    const auto begin = std::stoll(reader.call("Job.Subscribe", "", true)["snapshot.sequence"]);
    ControlClient quick(box);
    quick.call("Job.Subscribe", "", true);
    std::size_t quick_events = 0;
    // Far more than the socket and the bound together take.
    for (int i = 0; i < 100; ++i) {
        change("web", std::string(50'000, 'x'));
        quick_events += quick.take().size();
    }
    EXPECT_EQ(quick_events, 300u);
    std::int64_t told = 0, lost = 0;
    for (const auto& reply : reader.take()) {
        if (reply["lost"] != "null") {
            lost += std::stoll(reply["lost"]);
        } else {
            ++told;
            EXPECT_EQ(reply["event.sequence"], std::to_string(begin + lost + told));
        }
    }
    EXPECT_GT(told, 0);
    EXPECT_GT(lost, 0);
    EXPECT_EQ(told + lost, 300);
}

TEST_F(Subscription, OfAReaderThatHasCaughtUpIsWholeAgain) {
    reader.call("Job.Subscribe", "", true);
    for (int i = 0; i < 100; ++i) change("web", std::string(50'000, 'x'));
    reader.take();
    change("pair@a");
    const auto events = reader.take();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[2]["event.sequence"], std::to_string(sequence()));
}

struct Words : testing::Test {
    static JobSpec slow() {
        auto spec = job("slow");
        spec.readiness.kind = Readiness::Kind::Exec;
        spec.readiness.target = "check";
        return spec;
    }
    ControlBox box{{slow(), job("web")}};
    ControlClient reader{box};

    void start() {
        box.supervisor.start(box.instance("slow").id(), "test", box.loop.now());
        box.executes("slow");
        box.turn();
    }
    void hinder(const std::string& how, const std::string& said = {}) {
        box.supervisor.readiness_hindered(box.instance("slow").incarnation(), how, box.loop.now(), said);
        box.turn();
    }
    void say(const std::string& status) {
        Notice notice;
        notice.status = status;
        box.supervisor.noticed(box.instance("slow").incarnation(), notice, box.loop.now());
        box.turn();
    }
};

TEST_F(Words, AreToldToWhoAsksForThem) {
    start();
    ControlClient other(box);
    other.call("Job.Subscribe", "", true);
    reader.call("Job.Subscribe", R"({"words":true})", true);
    ControlClient of_web(box);
    of_web.call("Job.Subscribe", R"({"names":["web"],"words":true})", true);
    hinder(": refused");
    const auto first = reader.take_one();
    EXPECT_EQ(first["words.name"] + " " + first["words.awaits"], "slow exec check: refused");
    EXPECT_EQ(first["words.statusText"], "null");
    box.pass(std::chrono::milliseconds(200));
    say("half");
    const auto second = reader.take_one();
    EXPECT_EQ(second["words.awaits"] + " " + second["words.statusText"], "null half");
    EXPECT_TRUE(other.take().empty());
    EXPECT_TRUE(of_web.take().empty());
}

TEST_F(Words, AreToldNowAndThenAndNotTwice) {
    start();
    reader.call("Job.Subscribe", R"({"words":true})", true);
    for (int i = 0; i < 100; ++i) say(std::to_string(i));
    EXPECT_EQ(reader.take_one()["words.statusText"], "0");
    box.pass(std::chrono::milliseconds(200));
    EXPECT_EQ(reader.take_one()["words.statusText"], "99");
    box.pass(std::chrono::milliseconds(200));
    say("99");
    EXPECT_TRUE(reader.take().empty());
}

TEST_F(Words, OfACommandAreForWhoMayOperateTheJob) {
    if (!is_root()) GTEST_SKIP() << "needs root, to be another user";
    start();
    reader.call("Job.Subscribe", R"({"words":true})", true);
    auto stranger = ControlClient::as_stranger(box);
    stranger.call("Job.Subscribe", R"({"words":true})", true);
    hinder(": failed", "its key");
    EXPECT_EQ(reader.take_one()["words.awaits"], "exec check: failed: its key");
    EXPECT_EQ(stranger.take_one()["words.awaits"], "exec check: failed");
}

TEST_F(Subscription, EndsWithItsReader) {
    reader.call("Job.Subscribe", "", true);
    ControlClient other(box);
    other.call("Job.Subscribe", "", true);
    box.supervisor.start(box.instance("web").id(), "test", box.loop.now());
    reader.leave();
    EXPECT_EQ(other.take_one()["event.to"], "starting");
}

}  // namespace
}  // namespace procsup
