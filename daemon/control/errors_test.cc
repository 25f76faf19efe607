#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

constexpr std::string_view kInvalid = "org.varlink.service.InvalidParameter";

JobSpec owned(const std::string& name, uid_t owner) {
    auto spec = job(name);
    spec.owner = owner;
    return spec;
}

std::string names(std::size_t count, std::string_view name = "web") {
    json::Writer writer;
    writer.begin_object().key("names").begin_array();
    for (std::size_t i = 0; i < count; ++i) writer.string(name);
    return writer.end_array().end_object().take();
}

struct Errors : testing::Test {
    ControlBox box{{job("web"), job("database", {"eu", "us"})}};
    ControlClient client{box};
};

TEST_F(Errors, NoSuchJobNamesWhatIsCalledNearlySo) {
    const auto answer = client.call("Job.Start", R"({"names":["databse"]})");
    EXPECT_EQ(answer.error, "io.procsupd.Job.NoSuchJob");
    EXPECT_EQ(answer["name"], "databse");
    EXPECT_EQ(answer["message"], "no job or instance is called 'databse' (did you mean 'database'?)");
    EXPECT_EQ(answer["hint"], "procsupctl list");
}

TEST_F(Errors, NoSuchJobNamesTheFileThatMaskedIt) {
    box.host.known.config_since = box.loop.now();
    box.loop.put_forward(std::chrono::hours(1));
    const auto answer = client.call("Job.Cat", R"({"name":"old"})");
    EXPECT_EQ(answer.error, "io.procsupd.Job.NoSuchJob");
    EXPECT_EQ(answer["message"],
              "there is no job 'old': /etc/procsupd/jobs.d/old.toml masked it when the configuration was read, 1h ago");
    EXPECT_EQ(answer["hint"],
              "without that file, a job file of its name in a lower directory counts after: procsupctl apply");
}

TEST_F(Errors, NoSuchJobKnowsInstancesToo) {
    const auto answer = client.call("Job.Why", R"({"name":"database@ue"})");
    EXPECT_EQ(answer["message"], "no job or instance is called 'database@ue' (did you mean 'database@eu'?)");
}

TEST_F(Errors, NoSuchJobIsTheErrorOfTheInterfaceCalled) {
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["nope*"]})").error, "io.procsupd.Manager.NoSuchJob");
    EXPECT_EQ(client.call("Job.Run", R"({"command":["x"],"like":"nope"})").error, "io.procsupd.Job.NoSuchJob");
}

TEST_F(Errors, OneUnknownNameKeepsAllFromBeingOrdered) {
    EXPECT_EQ(client.call("Job.Start", R"({"names":["web","nope"]})").error, "io.procsupd.Job.NoSuchJob");
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(Errors, NamesAreBounded) {
    EXPECT_EQ(client.call("Job.Stop", names(1000)).error, "");
    for (const std::size_t count : {0u, 1001u}) {
        const auto answer = client.call("Job.Stop", names(count));
        EXPECT_EQ(answer.error, kInvalid) << count;
        EXPECT_EQ(answer["parameter"], "names") << count;
    }
}

TEST_F(Errors, PatternsAndLongNamesAreBounded) {
    EXPECT_EQ(client.call("Job.Stop", names(64, "w*")).error, "");
    EXPECT_EQ(client.call("Job.Stop", names(65, "w*")).error, kInvalid);
    const auto answer = client.call("Job.Stop", names(1, std::string(201, 'w')));
    EXPECT_EQ(answer.error, kInvalid);
    EXPECT_LT(answer["message"].size(), 200u);
}

TEST_F(Errors, InvalidParametersAreNamed) {
    const struct {
        const char* method;
        const char* parameters;
        const char* parameter;
    } calls[] = {
        {"Job.Start", R"({})", "names"},
        {"Job.Start", R"({"names":"web"})", "names"},
        {"Job.Start", R"({"names":["web"],"wat":true})", "wat"},
        {"Job.Start", R"({"names":["web"],"timeoutUSec":"1s"})", "timeoutUSec"},
        {"Job.Wait", R"({"names":["web"],"for":"godot"})", "for"},
        {"Job.Signal", R"({"names":["web"],"signal":"SIGNOPE"})", "signal"},
        {"Job.Signal", R"({"names":["web"],"signal":""})", "signal"},
        {"Job.Signal", R"({"names":["web"],"signal":"-1"})", "signal"},
        {"Job.Run", R"({"command":[]})", "command"},
        {"Job.Run", R"({"command":[""]})", "command"},
        {"Job.Run", R"({"command":["x"],"name":"a@b"})", "name"},
        {"Job.Run", R"({"command":["x"],"name":"-x"})", "name"},
        {"Job.Run", R"({"command":["x"],"name":"a/b"})", "name"},
        {"Manager.WhoIs", R"({"pid":0})", "pid"},
        {"Manager.WhoIs", R"({"pid":-5})", "pid"},
        {"Manager.WhoIs", R"({"pid":4294967297})", "pid"},
    };
    for (const auto& call : calls) {
        const auto answer = client.call(call.method, call.parameters);
        EXPECT_EQ(answer.error, kInvalid) << call.method << call.parameters;
        EXPECT_EQ(answer["parameter"], call.parameter) << call.method << call.parameters;
    }
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(Errors, ShuttingDownRefusesNewWorkOnly) {
    box.supervisor.shut_down("shutdown", box.loop.now());
    EXPECT_EQ(client.call("Job.Start", R"({"names":["web"]})").error, "io.procsupd.Job.ShuttingDown");
    EXPECT_EQ(client.call("Job.Restart", R"({"names":["web"]})").error, "io.procsupd.Job.ShuttingDown");
    EXPECT_EQ(client.call("Job.Run", R"({"command":["x"]})").error, "io.procsupd.Job.ShuttingDown");
    for (const auto* method : {"Manager.Reload", "Manager.Plan", "Manager.Apply", "Manager.Rollback"}) {
        EXPECT_EQ(client.call(method, "").error, "io.procsupd.Manager.ShuttingDown") << method;
    }
    EXPECT_EQ(client.call("Job.Stop", R"({"names":["web"]})").error, "");
    EXPECT_EQ(client.call("Job.Show", R"({"name":"web"})").error, "");
    EXPECT_TRUE(box.engine.calls.empty());
    EXPECT_TRUE(box.host.changes.empty());
}

/// A caller that the kernel knows by a uid that is nobody's here.
struct Strangers : testing::Test {
    void SetUp() override {
        if (!is_root()) GTEST_SKIP() << "only root can show another uid";
    }
};

TEST_F(Strangers, ReadByDefaultAndDoNothingElse) {
    ControlBox box({job("web")});
    auto client = ControlClient::as_stranger(box);
    EXPECT_EQ(client.call("Manager.Ping", "").error, "");
    EXPECT_EQ(client.call("Manager.Status", "").error, "");
    EXPECT_EQ(client.call("Manager.WhoIs", R"({"pid":1})").error, "");
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["web"],"for":"stopped"})").error, "");
    const auto* operate =
        "uid 65534 lacks operate access, which root, a job's owner, and whom [access] operate names have";
    for (const auto* method : {"Start", "Stop", "Restart", "Reload", "Reset"}) {
        const auto answer = client.call("Job." + std::string(method), R"({"names":["web"]})");
        EXPECT_EQ(answer.error, "io.procsupd.Job.PermissionDenied") << method;
        EXPECT_EQ(answer["message"], operate) << method;
    }
    EXPECT_EQ(client.call("Job.Signal", R"({"names":["web"],"signal":"KILL"})")["message"], operate);
    EXPECT_EQ(client.call("Job.Run", R"({"command":["x"]})")["message"], operate);
    for (const auto* method : {"Show", "Cat", "Why"}) {
        EXPECT_EQ(client.call("Job." + std::string(method), R"({"name":"web"})")["message"], operate) << method;
    }
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(Strangers, WhoOperateDoNotAdminister) {
    DaemonSpec spec;
    spec.operate.users = {kStranger};
    ControlBox box({job("web")}, spec);
    auto client = ControlClient::as_stranger(box);
    EXPECT_EQ(client.call("Job.Start", R"({"names":["web"],"wait":false})").error, "");
    client.send("Manager.Plan", "");
    ASSERT_EQ(box.host.changes.size(), 1u) << "they may know what would change";
    box.host.changes.front()(ConfigurationChange{});
    EXPECT_EQ(client.take_one().error, "");
    box.host.changes.clear();
    for (const auto* method : {"Manager.Shutdown", "Manager.Reload", "Manager.Apply", "Manager.Rollback"}) {
        const auto answer = client.call(method, "");
        EXPECT_EQ(answer.error, "io.procsupd.Manager.PermissionDenied") << method;
        EXPECT_EQ(
            answer["message"],
            "uid 65534 lacks admin access, which root, the supervisor's own user, and whom [access] admin names have");
    }
    EXPECT_TRUE(box.host.shutdowns.empty());
    EXPECT_TRUE(box.host.changes.empty());
}

TEST_F(Strangers, OperateWhatTheyOwnAndOnlyThat) {
    ControlBox box({owned("mine", kStranger), job("other")});
    auto client = ControlClient::as_stranger(box);
    EXPECT_EQ(client.call("Job.Start", R"({"names":["mine"],"wait":false})").error, "");
    EXPECT_EQ(client.call("Job.Why", R"({"name":"mine"})").error, "");
    EXPECT_EQ(client.call("Job.Stop", R"({"names":["mine","other"]})").error, "io.procsupd.Job.PermissionDenied");
    EXPECT_EQ(client.call("Job.Stop", R"({"names":["*"]})").error, "io.procsupd.Job.PermissionDenied");
    EXPECT_EQ(box.engine.calls, std::vector<std::string>{"spawn mine"});
}

TEST_F(Strangers, AreToldOnlyHowManyProblemsTheConfigurationHas) {
    ControlBox box({job("web")});
    box.host.known.config_problems = {"a.toml:1:1: error: \"s3cr3t\" is not a duration", "another"};
    auto client = ControlClient::as_stranger(box);
    const auto shown = client.call("Manager.Status", "")["daemon.configProblems"];
    EXPECT_EQ(shown, R"(["2 in the newest configuration, shown to who may operate"])");
    ControlClient root(box);
    EXPECT_EQ(root.call("Manager.Status", "").count("daemon.configProblems"), 2u);
}

TEST_F(Strangers, SeeNothingWhereReadingIsNotForEveryone) {
    DaemonSpec spec;
    spec.read = {};
    ControlBox box({job("web")}, spec);
    auto client = ControlClient::as_stranger(box);
    EXPECT_EQ(client.call("Manager.Status", "").error, "io.procsupd.Manager.PermissionDenied");
    EXPECT_EQ(client.call("Manager.WhoIs", R"({"pid":1})").error, "io.procsupd.Manager.PermissionDenied");
    EXPECT_EQ(client.call("Job.Wait", R"({"names":["web"],"for":"ready"})").error, "io.procsupd.Job.PermissionDenied");
    EXPECT_EQ(client.call("Job.Subscribe", "", true).error, "io.procsupd.Job.PermissionDenied");
}

}  // namespace
}  // namespace procsup
