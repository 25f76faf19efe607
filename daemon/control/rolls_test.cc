#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

JobSpec with_notice(std::string name, std::vector<std::string> instances) {
    auto spec = job(std::move(name), std::move(instances));
    spec.readiness.kind = Readiness::Kind::Notify;
    return spec;
}

struct RollingCall : testing::Test {
    ControlBox box{{with_notice("web", {"0", "1"}), with_notice("single", {})}};
    ControlClient client{box};

    RollingCall() {
        for (const auto* name : {"web@0", "web@1", "single"}) {
            box.supervisor.start(box.instance(name).id(), "start", box.loop.now());
            box.executes(name);
            ready(name);
        }
    }
    void ready(const std::string& name) {
        box.supervisor.became_ready(box.instance(name).incarnation(), box.loop.now());
        box.turn();
    }
    void replace(const std::string& name) {
        box.ends(name, ExitStatus::exited(0));
        box.executes(name);
        ready(name);
    }
};

TEST_F(RollingCall, TellsEachInstanceAsItIsUpAndThenAll) {
    client.send("Job.RestartRolling", R"({"name":"web"})", true);
    replace("web@0");
    const auto first = client.take_one();
    EXPECT_TRUE(first.continues);
    EXPECT_EQ(first["outcomes.0.name"], "web@0");
    replace("web@1");
    const auto rest = client.take();
    ASSERT_EQ(rest.size(), 2u);
    EXPECT_EQ(rest[0]["outcomes.0.name"], "web@1");
    EXPECT_FALSE(rest[1].continues);
    EXPECT_EQ(rest[1]["done"], "true");
    EXPECT_EQ(rest[1].count("outcomes"), 2u);
    EXPECT_EQ(rest[1]["note"], "null");
}

TEST_F(RollingCall, WithoutMoreAnswersOnce) {
    client.send("Job.RestartRolling", R"({"name":"web"})");
    replace("web@0");
    EXPECT_TRUE(client.take().empty());
    replace("web@1");
    EXPECT_EQ(client.take_one().count("outcomes"), 2u);
}

TEST_F(RollingCall, ThatFailsSaysWhichInstanceAndWhatIsUntouched) {
    client.send("Job.RestartRolling", R"({"name":"web"})");
    box.ends("web@0", ExitStatus::exited(0));
    box.executes("web@0");
    box.ends("web@0", ExitStatus::exited(3));
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "io.procsupd.Job.RollFailed");
    EXPECT_EQ(answer["message"],
              "the rolling restart has ended: web@0: it has ended: exit 3; it is started again; not restarted: web@1");
    EXPECT_EQ(answer["untouched.0"], "web@1");
    EXPECT_EQ(answer.count("outcomes"), 0u);
}

TEST_F(RollingCall, OfOneInstanceHasANote) {
    client.send("Job.RestartRolling", R"({"name":"single"})");
    replace("single");
    EXPECT_EQ(client.take_one()["note"], "single has one instance: while it was restarted there was none");
}

TEST_F(RollingCall, IsRefusedWhileOneIsUnderWay) {
    client.send("Job.RestartRolling", R"({"name":"web"})");
    ControlClient other(box);
    const auto answer = other.call("Job.RestartRolling", R"({"name":"web"})");
    EXPECT_EQ(answer.error, "io.procsupd.Job.CannotRoll");
    EXPECT_EQ(answer["message"], "cannot restart 'web' one by one: that is already under way");
}

TEST_F(RollingCall, GoesOnWhenTheCallerHasLeft) {
    client.send("Job.RestartRolling", R"({"name":"web"})", true);
    client.leave();
    replace("web@0");
    EXPECT_EQ(box.instance("web@1").state(), State::Stopping);
}

TEST_F(RollingCall, ThatIsNotWaitedForAnswersAtOnce) {
    EXPECT_EQ(client.call("Job.RestartRolling", R"({"name":"web","wait":false})")["done"], "true");
    EXPECT_TRUE(box.supervisor.rolls("web"));
}

TEST_F(RollingCall, GoesOnAfterTheTimeThatTheCallerWaits) {
    client.send("Job.RestartRolling", R"({"name":"web","timeoutUSec":1000})");
    box.pass(1s);
    EXPECT_EQ(client.take_one().error, "io.procsupd.Job.TimedOut");
    EXPECT_TRUE(box.supervisor.rolls("web"));
}

TEST_F(RollingCall, EndsWithTheDaemon) {
    client.send("Job.RestartRolling", R"({"name":"web"})");
    box.supervisor.shut_down("SIGTERM", box.loop.now());
    box.turn();
    EXPECT_EQ(client.take_one()["message"], "the rolling restart has ended: procsupd is ending; not restarted: web@1");
}

}  // namespace
}  // namespace procsup
