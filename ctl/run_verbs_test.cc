#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include "common/json.h"
#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kBegan = R"({"name":"run-1","state":"running","pid":42})";

std::vector<std::string> began_and_ended(std::string end) {
    return {varlink::reply_message(kBegan, true), varlink::reply_message(end)};
}

TEST(Run, PassesDescriptorsCommandDirectoryAndEnvironment) {
    setenv("PROCSUPCTL_TEST", "here", 1);
    std::size_t descriptors = 0;
    bool more = false;
    json::Value parameters;
    FakeDaemon daemon([&](const varlink::Call& call, const std::vector<Fd>& fds) {
        descriptors = fds.size();
        more = call.more;
        parameters = call.parameters;
        if (fds.size() == 3) (void)!write(fds[1].get(), "child\n", 6);
        return began_and_ended(R"({"name":"run-1","state":"exited","exitCode":0,"cause":"exit 0"})");
    });
    const auto printed = run_procsupctl(daemon, {"run", "--name=x", "--", "echo", "--json"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "child\n");
    EXPECT_EQ(printed.err, "run-1: started pid 42\n");
    EXPECT_EQ(descriptors, 3u);
    EXPECT_TRUE(more);
    EXPECT_EQ(parameters.string_or("name", ""), "x");
    EXPECT_EQ(json::to_text(*parameters.find("command")), R"(["echo","--json"])");
    EXPECT_NE(json::to_text(*parameters.find("env")).find("\"PROCSUPCTL_TEST=here\""), std::string::npos);
    EXPECT_NE(parameters.find("workingDir"), nullptr);
}

TEST(Run, ExitsAsTheCommandDid) {
    FakeDaemon exits([](const varlink::Call&, const std::vector<Fd>&) {
        return began_and_ended(R"({"name":"run-1","state":"failed","exitCode":3,"cause":"exit 3"})");
    });
    const auto printed = run_procsupctl(exits, {"run", "--", "x"});
    EXPECT_EQ(printed.code, 3);
    EXPECT_EQ(printed.err, "run-1: started pid 42\nrun-1: exit 3\n");
    FakeDaemon dies([](const varlink::Call&, const std::vector<Fd>&) {
        return began_and_ended(R"({"name":"run-1","state":"failed","exitSignal":"SIGKILL","cause":"killed"})");
    });
    EXPECT_EQ(run_procsupctl(dies, {"-q", "run", "--", "x"}).code, 137);
}

TEST(Run, ForwardsASignalOnASecondConnection) {
    FakeDaemon* self = nullptr;
    FakeDaemon daemon([&](const varlink::Call& call, const std::vector<Fd>&) {
        if (call.method_name() == "Signal") {
            self->send_to_first(varlink::reply_message(R"({"name":"run-1","state":"failed","exitSignal":"SIGTERM"})"));
            return std::vector<std::string>{varlink::reply_message(R"({"outcomes":[]})")};
        }
        self->send_to_first(varlink::reply_message(kBegan, true));
        // Blocked by now in the thread that runs procsupctl, so it waits until that thread looks.
        kill(getpid(), SIGTERM);
        return std::vector<std::string>();
    });
    self = &daemon;
    const auto printed = run_procsupctl(daemon, {"run", "--", "x"});
    EXPECT_EQ(printed.code, 128 + SIGTERM);
    EXPECT_EQ(daemon.calls().back(), R"(io.procsupd.Job.Signal {"names":["run-1"],"signal":"SIGTERM"})");
}

TEST(Run, ThatCannotExecuteExitsAsAShellWould) {
    const auto code_for = [](std::string parameters) {
        FakeDaemon daemon([=](const varlink::Call&, const std::vector<Fd>&) {
            return std::vector<std::string>{varlink::error_message("io.procsupd.Job.StartFailed", parameters)};
        });
        return run_procsupctl(daemon, {"run", "--", "x"}).code;
    };
    EXPECT_EQ(code_for(R"({"name":"r","stage":"exec","errnoName":"ENOENT","message":"m"})"), 127);
    EXPECT_EQ(code_for(R"({"name":"r","stage":"exec","errnoName":"EACCES","message":"m"})"), 126);
    EXPECT_EQ(code_for(R"({"name":"r","stage":"clone","errnoName":"EAGAIN","message":"m"})"), 125);
}

TEST(Run, DetachedPassesNoDescriptorsAndReturnsAtOnce) {
    std::size_t descriptors = 99;
    FakeDaemon daemon([&](const varlink::Call&, const std::vector<Fd>& fds) {
        descriptors = fds.size();
        return std::vector<std::string>{varlink::reply_message(kBegan)};
    });
    const auto printed = run_procsupctl(daemon, {"run", "--detach", "--", "x"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "run-1: started pid 42\n");
    EXPECT_EQ(descriptors, 0u);
}

TEST(Run, RefusesWordsThatJsonCannotCarry) {
    FakeDaemon daemon("x", "{}");
    EXPECT_EQ(run_procsupctl(daemon, {"run", "--", "ls", "\xff"}).code, 125);
    EXPECT_TRUE(daemon.calls().empty());
}

TEST(Run, ExitsBy125WithoutASupervisor) { EXPECT_EQ(run_procsupctl({"run", "--", "x"}).code, 125); }

TEST(Exec, TakesUserEnvironmentAndDirectoryFromTheJob) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return began_and_ended(R"({"name":"run-1","state":"exited","exitCode":0})");
    });
    EXPECT_EQ(run_procsupctl(daemon, {"exec", "web", "--", "env"}).code, 0);
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Run {"command":["env"],"like":"web"})");
}

}  // namespace
}  // namespace procsup::ctl
