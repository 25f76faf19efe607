#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

struct Reload : testing::Test {
    ControlBox box{{by_command("web"), job("plain")}};
    ControlClient client{box};

    Reload() {
        for (const auto* name : {"web", "plain"}) {
            box.supervisor.start(box.instance(name).id(), "start", box.loop.now());
            box.executes(name);
        }
    }

    static JobSpec by_command(const std::string& name) {
        auto spec = job(name);
        spec.reload_command = {{"reread"}, "/bin/reread"};
        return spec;
    }
    void command_ends(ExitStatus status) {
        const auto command = box.engine.last_beside;
        box.supervisor.spawned(command, 500, box.loop.now());
        box.supervisor.exited(command, status, true, box.loop.now());
        box.turn();
    }
    std::string refusal_of(const std::string& name) {
        const auto answer = client.call("Job.Reload", R"({"names":[")" + name + R"("]})");
        EXPECT_EQ(answer["outcomes.0.ok"], "false");
        return answer["outcomes.0.cause"];
    }
};

TEST_F(Reload, AnswersWhenTheCommandForItHasEnded) {
    client.send("Job.Reload", R"({"names":["web","plain"]})");
    EXPECT_TRUE(client.take().empty());
    command_ends(ExitStatus::exited(0));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.cause"], "reload_command has ended well");
    EXPECT_EQ(answer["outcomes.1.cause"], "SIGHUP sent");
}

TEST_F(Reload, TellsHowTheCommandForItHasFailed) {
    client.send("Job.Reload", R"({"names":["web"]})");
    command_ends(ExitStatus::exited(3));
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.state"], "running");
    EXPECT_EQ(answer["outcomes.0.cause"], "reload_command failed: exit 3");
}

TEST_F(Reload, WaitsForTheCommandThatWasBegunAfterItWasAskedFor) {
    client.send("Job.Reload", R"({"names":["web"]})");
    ControlClient other(box);
    other.send("Job.Reload", R"({"names":["web"]})");
    command_ends(ExitStatus::exited(3));
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "false");
    EXPECT_TRUE(other.take().empty());
    command_ends(ExitStatus::exited(0));
    EXPECT_EQ(other.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Reload, IsOverWithTheRun) {
    client.send("Job.Reload", R"({"names":["web"]})");
    const auto command = box.engine.last_beside;
    box.ends("web", ExitStatus::exited(1));
    box.supervisor.exited(command, ExitStatus::killed(SIGKILL), true, box.loop.now());
    box.turn();
    const auto answer = client.take_one();
    EXPECT_EQ(answer["outcomes.0.ok"], "false");
    EXPECT_EQ(answer["outcomes.0.cause"].rfind("reload_command was not over when its run was: ", 0), 0u);
}

TEST_F(Reload, NeedNotWait) {
    const auto answer = client.call("Job.Reload", R"({"names":["web"],"wait":false})");
    EXPECT_EQ(answer["outcomes.0.ok"], "true");
    EXPECT_EQ(answer["outcomes.0.cause"], "reload_command is run");
}

TEST_F(Reload, SendsNoSignalThatWouldEndTheJobOrThatItIgnores) {
    box.engine.calls.clear();
    box.host.fate = SignalFate::Default;
    EXPECT_EQ(refusal_of("plain").rfind("its main process does not handle SIGHUP, which would end it", 0), 0u);
    box.host.fate = SignalFate::Ignored;
    EXPECT_EQ(refusal_of("plain"), "its main process ignores SIGHUP, the reload_signal of the job");
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(Reload, SendsASignalThatEndsNobody) {
    auto spec = job("plain");
    spec.reload_signal = SIGWINCH;
    box.configure({spec});
    box.supervisor.start(box.instance("plain").id(), "start", box.loop.now());
    box.executes("plain");
    box.host.fate = SignalFate::Default;
    EXPECT_EQ(client.call("Job.Reload", R"({"names":["plain"]})")["outcomes.0.ok"], "true");
}

}  // namespace
}  // namespace procsup
