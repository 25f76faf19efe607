#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using Names = std::vector<std::string>;

struct Log : testing::Test {
    Log() {
        auto owned = job("mine");
        owned.owner = kStranger;
        box.configure({job("web", {"a", "b"}), job("db"), owned});
    }

    ControlBox box;
    ControlClient client{box};
};

TEST_F(Log, OpenAnswersWithTheHostsDescriptor) {
    const auto answer = client.call("Log.Open", R"({"names":["web"]})");
    EXPECT_EQ(answer.error, "");
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(answer.fd.get(), &value), 0);
    EXPECT_EQ(value, 7u);
    EXPECT_EQ(box.host.logs, Names{"open web@a web@b"});
}

TEST_F(Log, OpenSaysOfHowManyWritersItAnswersForOne) {
    const auto answer = client.call("Log.Open", R"({"names":["web"],"writer":1})");
    EXPECT_EQ(answer["writers"], "2");
    EXPECT_EQ(answer["fileSystem"], "/var");
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(answer.fd.get(), &value), 0);
    EXPECT_EQ(value, 8u);
    EXPECT_EQ(client.call("Log.Open", R"({"names":["web"],"writer":-1})").error,
              "org.varlink.service.InvalidParameter");
}

TEST_F(Log, OpenWithoutNamesMeansAllJobs) {
    EXPECT_EQ(client.call("Log.Open", R"({"names":[],"follow":true})").error, "");
    EXPECT_EQ(box.host.logs, Names{"follow db mine web@a web@b"});
}

TEST_F(Log, OpenAsksForKnownNames) {
    const auto answer = client.call("Log.Open", R"({"names":["wbe"]})");
    EXPECT_EQ(answer.error, "io.procsupd.Log.NoSuchJob");
    EXPECT_FALSE(answer.fd);
    EXPECT_TRUE(box.host.logs.empty());
}

TEST_F(Log, RotateNamesInstances) {
    EXPECT_EQ(client.call("Log.Rotate", R"({"names":["web@b"]})").error, "");
    EXPECT_EQ(client.call("Log.Rotate", R"({"names":[]})").error, "org.varlink.service.InvalidParameter");
    EXPECT_EQ(box.host.logs, Names{"rotate web@b"});
}

TEST_F(Log, SaysThatNothingIsCaptured) {
    box.host.no_logs = Error{"no job's output is captured"};
    for (const char* method : {"Log.Open", "Log.Rotate"}) {
        const auto answer = client.call(method, R"({"names":["web"]})");
        EXPECT_EQ(answer.error, "io.procsupd.Log.NotCaptured") << method;
        EXPECT_EQ(answer["message"], "no job's output is captured") << method;
    }
}

TEST_F(Log, TellsFailuresOfTheSystemApart) {
    box.host.no_logs = os_failure("connect to procsup-logger", EMFILE);
    const auto answer = client.call("Log.Open", R"({"names":["web"]})");
    EXPECT_EQ(answer.error, "io.systemd.System");
    EXPECT_EQ(answer["message"], "cannot connect to procsup-logger: Too many open files");
}

TEST_F(Log, IsForOwnersAndOperators) {
    if (!is_root()) GTEST_SKIP() << "only root can connect as another user";
    auto stranger = ControlClient::as_stranger(box);
    EXPECT_EQ(stranger.call("Log.Open", R"({"names":["mine"]})").error, "");
    EXPECT_EQ(stranger.call("Log.Rotate", R"({"names":["mine"]})").error, "");
    EXPECT_EQ(stranger.call("Log.Open", R"({"names":["mine","web"]})").error, "io.procsupd.Log.PermissionDenied");
    EXPECT_EQ(stranger.call("Log.Open", R"({"names":[]})").error, "io.procsupd.Log.PermissionDenied");
    EXPECT_EQ(stranger.call("Log.Rotate", R"({"names":["web"]})").error, "io.procsupd.Log.PermissionDenied");
}

}  // namespace
}  // namespace procsup
