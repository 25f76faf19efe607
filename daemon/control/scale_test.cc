#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

struct ScaleCall : testing::Test {
    ControlBox box{{job("web", {"0", "1"}), job("named", {"eu", "us"}), job("single")}};
    ControlClient client{box};

    void bring_up(const std::string& name) {
        box.supervisor.start(box.instance(name).id(), "start", box.loop.now());
        box.executes(name);
        box.pass(1min);
    }
};

TEST_F(ScaleCall, AnswersWhenTheAddedInstancesAreUp) {
    bring_up("web@0");
    client.send("Job.Scale", R"({"name":"web","instances":3})");
    EXPECT_TRUE(client.take().empty());
    box.executes("web@2", 321);
    box.pass(1min);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer.count("outcomes"), 1u);
    EXPECT_EQ(answer["outcomes.0.name"], "web@2");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
}

TEST_F(ScaleCall, AnswersWhenTheSurplusInstancesAreGone) {
    bring_up("web@0");
    bring_up("web@1");
    const auto last = box.instance("web@1").incarnation();
    client.send("Job.Scale", R"({"name":"web","instances":1})");
    EXPECT_TRUE(client.take().empty());
    box.supervisor.exited(last, ExitStatus::exited(0), true, box.loop.now());
    box.turn();
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.name"], "web@1");
    EXPECT_EQ(answer["outcomes.0.state"], "stopped");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
}

TEST_F(ScaleCall, LeavesSurplusInstancesInSightUntilTheyAreGone) {
    bring_up("web@0");
    bring_up("web@1");
    const auto last = box.instance("web@1").incarnation();
    client.call("Job.Scale", R"({"name":"web","instances":1,"wait":false})");
    for (const auto* names : {R"({})", R"({"names":["web"]})", R"({"names":["web@1"]})"}) {
        const auto status = client.call("Manager.Status", names);
        const auto last_one = "instances." + std::to_string(status.count("instances") - 1);
        EXPECT_EQ(status[last_one + ".name"], "web@1") << names;
        EXPECT_EQ(status[last_one + ".leaves"], "true") << names;
    }
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web@1"]})")["instances.0.state"], "stopping");
    EXPECT_EQ(client.call("Job.Signal", R"({"names":["web@1"],"signal":"HUP"})")["outcomes.0.ok"], "true");
    // It is no part of what the job is to be: that starts and restarts without it.
    EXPECT_EQ(client.call("Job.Restart", R"({"names":["web"],"wait":false})").count("outcomes"), 1u);
    const auto refused = client.call("Job.Start", R"({"names":["web@1"],"wait":false})");
    EXPECT_EQ(refused["outcomes.0.refused"], "true");
    box.supervisor.exited(last, ExitStatus::exited(0), true, box.loop.now());
    box.turn();
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web@1"]})").error, "io.procsupd.Manager.NoSuchJob");
}

TEST_F(ScaleCall, OfAStoppedJobAnswersAtOnce) {
    const auto answer = client.call("Job.Scale", R"({"name":"web","instances":3})");
    EXPECT_EQ(answer["outcomes.0.state"], "stopped");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
}

TEST_F(ScaleCall, ThatCannotBeSaysWhy) {
    const auto answer = client.call("Job.Scale", R"({"name":"named","instances":3})");
    EXPECT_EQ(answer.error, "io.procsupd.Job.CannotScale");
    EXPECT_EQ(answer["message"],
              "cannot scale 'named': its instances have names (eu, us), and only its file can say which there are");
    EXPECT_EQ(client.call("Job.Scale", R"({"name":"web","instances":-1})").error, "io.procsupd.Job.CannotScale");
    EXPECT_EQ(client.call("Job.Scale", R"({"name":"web","instances":1000000000000})").error,
              "io.procsupd.Job.CannotScale");
}

TEST_F(ScaleCall, IsForAWholeJob) {
    EXPECT_EQ(client.call("Job.Scale", R"({"name":"web@1","instances":3})").error,
              "org.varlink.service.InvalidParameter");
    const auto unknown = client.call("Job.Scale", R"({"name":"wep","instances":3})");
    EXPECT_EQ(unknown.error, "io.procsupd.Job.NoSuchJob");
    EXPECT_NE(unknown["message"].find("did you mean 'web'?"), std::string::npos);
}

TEST_F(ScaleCall, IsForWhoMayOperate) {
    if (!is_root()) GTEST_SKIP() << "needs root, to be another user";
    auto stranger = ControlClient::as_stranger(box);
    EXPECT_EQ(stranger.call("Job.Scale", R"({"name":"web","instances":3})").error, "io.procsupd.Job.PermissionDenied");
    EXPECT_EQ(stranger.call("Job.RestartRolling", R"({"name":"web"})").error, "io.procsupd.Job.PermissionDenied");
}

TEST_F(ScaleCall, IsSeenInTheStatusOfEachInstance) {
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["single"]})")["instances.0.fileInstances"], "null");
    client.call("Job.Scale", R"({"name":"single","instances":2})");
    const auto status = client.call("Manager.Status", R"({"names":["single"]})");
    EXPECT_EQ(status["instances.0.name"], "single");
    EXPECT_EQ(status["instances.1.name"], "single@1");
    EXPECT_EQ(status["instances.1.fileInstances"], "1");
    EXPECT_EQ(status["instances.1.scaledInstances"], "2");
    EXPECT_EQ(client.call("Job.Show", R"({"name":"single"})")["instances.0.fileInstances"], "1");
}

}  // namespace
}  // namespace procsup
