#include <gtest/gtest.h>

#include "common/json.h"
#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kStatus = "io.procsupd.Manager.Status";
constexpr const char* kOneRunning =
    R"({"daemon":{"version":"1","pid":1,"uptimeUSec":1000000,"configProblems":[]},
        "instances":[{"name":"web","job":"web","state":"running","ready":true,"restarts":0,"sinceUSec":1,"tags":[]}]})";
constexpr const char* kOneFailed =
    R"({"daemon":{"version":"1","pid":1,"configProblems":["a.toml:1:1: error: \u001b"]},
        "instances":[{"name":"web","job":"web","state":"failed","ready":false,"cause":"exit 1","sinceUSec":1}]})";
constexpr const char* kOneShotDone =
    R"({"daemon":{},"instances":[{"name":"init","job":"init","state":"exited","ready":true,"sinceUSec":1}]})";

FakeDaemon::Answer answer_error(std::string name, std::string parameters) {
    return [=](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{varlink::error_message(name, parameters)};
    };
}

TEST(Status, AsksForEverythingWithoutNames) {
    FakeDaemon daemon(kStatus, kOneRunning);
    const auto printed = run_procsupctl(daemon, {"status"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("jobs: 1 running"), std::string::npos);
    EXPECT_EQ(printed.out.find("hint:"), std::string::npos);
    EXPECT_EQ(daemon.only_call(), "io.procsupd.Manager.Status {\"usage\":true}");
}

TEST(Status, OfANamedJobExits3WhenItDoesNotRun) {
    FakeDaemon running(kStatus, kOneRunning);
    EXPECT_EQ(run_procsupctl(running, {"status", "web"}).code, 0);
    EXPECT_EQ(running.only_call(), R"(io.procsupd.Manager.Status {"names":["web"],"usage":true})");
    FakeDaemon failed(kStatus, kOneFailed);
    EXPECT_EQ(run_procsupctl(failed, {"status", "web"}).code, 3);
    FakeDaemon done(kStatus, kOneShotDone);
    EXPECT_EQ(run_procsupctl(done, {"status", "init"}).code, 0);
}

TEST(Status, NamesProblemsAndTheNextCommandAndExits0) {
    FakeDaemon daemon(kStatus, kOneFailed);
    const auto printed = run_procsupctl(daemon, {"status"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("  a.toml:1:1: error: \\x1b\n"), std::string::npos);
    EXPECT_NE(printed.out.find("hint: procsupctl why web\n"), std::string::npos);
}

TEST(Status, PrintsOneJsonObject) {
    FakeDaemon daemon(kStatus, kOneFailed);
    const auto printed = run_procsupctl(daemon, {"--json", "status", "web"});
    EXPECT_EQ(printed.code, 3);
    const auto value = json::parse(printed.out);
    ASSERT_TRUE(value) << printed.out;
    EXPECT_NE(value->find("daemon"), nullptr);
    EXPECT_NE(printed.out.find(R"("exit_signal":null)"), std::string::npos);
}

TEST(Status, OfAnUnknownJobExits4WithTheSupervisorsHint) {
    FakeDaemon daemon(answer_error("io.procsupd.Manager.NoSuchJob",
                                   R"({"name":"wbe","message":"no job 'wbe'","hint":"did you mean 'web'?"})"));
    const auto printed = run_procsupctl(daemon, {"status", "wbe"});
    EXPECT_EQ(printed.code, 4);
    EXPECT_EQ(printed.out, "");
    EXPECT_EQ(printed.err, "error: no job 'wbe'\nhint: did you mean 'web'?\n");
}

TEST(Status, PrintsErrorsAsJsonToo) {
    FakeDaemon daemon(answer_error("io.procsupd.Manager.NoSuchJob", R"({"name":"x","message":"no job 'x'"})"));
    EXPECT_EQ(run_procsupctl(daemon, {"status", "x", "--json"}).out,
              R"({"error":"io.procsupd.Manager.NoSuchJob","name":"x","message":"no job 'x'"})"
              "\n");
}

TEST(List, HasALineForEachInstance) {
    FakeDaemon daemon(kStatus, kOneRunning);
    const auto printed = run_procsupctl(daemon, {"list"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("* web  running  yes"), std::string::npos);
}

TEST(IsActive, PrintsTheStateAndExits3Unless) {
    FakeDaemon running(kStatus, kOneRunning);
    EXPECT_EQ(run_procsupctl(running, {"is-active", "web"}).code, 0);
    FakeDaemon failed(kStatus, kOneFailed);
    const auto printed = run_procsupctl(failed, {"is-active", "web"});
    EXPECT_EQ(printed.code, 3);
    EXPECT_EQ(printed.out, "failed\n");
    EXPECT_EQ(run_procsupctl(failed, {"is-active", "web", "-q"}).out, "");
    FakeDaemon both(kStatus, R"({"instances":[{"name":"web","state":"paused","ready":true},
                                              {"name":"db","state":"running","ready":true}]})");
    const auto several = run_procsupctl(both, {"is-active", "web", "db"});
    EXPECT_EQ(several.code, 3);
    EXPECT_EQ(several.out, "db: running\nweb: paused\n");
}

TEST(IsFailed, ExitsZeroForAFailedJobOnly) {
    FakeDaemon running(kStatus, kOneRunning);
    EXPECT_EQ(run_procsupctl(running, {"is-failed", "web"}).code, 1);
    FakeDaemon failed(kStatus, kOneFailed);
    EXPECT_EQ(run_procsupctl(failed, {"is-failed", "--all"}).code, 0);
    EXPECT_EQ(failed.only_call(), R"(io.procsupd.Manager.Status {"names":["*"]})");
}

TEST(Show, PrintsSettingsWithTheirNamesAndInstances) {
    FakeDaemon daemon(
        "io.procsupd.Job.Show",
        R"({"settings":{"workingDir":"/x","env":["HomeDir=/x"],"requires":[{"job":"db","onRestart":"ignore"}]},
                          "instances":[{"name":"web","exitCode":3}]})");
    const auto printed = run_procsupctl(daemon, {"show", "web"});
    EXPECT_EQ(
        printed.out,
        "working_dir = \"/x\"\nenv = [\"HomeDir=/x\"]\nrequires = [{\"job\":\"db\",\"on_restart\":\"ignore\"}]\n\n"
        "[web]\nname = \"web\"\nexit_code = 3\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Show {"name":"web"})");
}

TEST(Cat, PrintsTheTextBehindItsOrigin) {
    FakeDaemon daemon("io.procsupd.Job.Cat", R"({"text":"command = \"x\"\n","origin":"/etc/web.toml:1"})");
    EXPECT_EQ(run_procsupctl(daemon, {"cat", "web"}).out, "# /etc/web.toml:1\ncommand = \"x\"\n");
}

std::vector<std::string> three_replies(const varlink::Call&, const std::vector<Fd>&) {
    return {
        varlink::reply_message(R"({"snapshot":{"sequence":1,"instances":[{"name":"web","state":"running"}]}})", true),
        varlink::reply_message(R"({"words":{"timeUSec":1772532662113000,"name":"web","awaits":"tcp 80: refused\u001b",
                "statusText":"half"}})",
                               true),
        varlink::reply_message(R"({"lost":2})", true),
        varlink::reply_message(R"({"event":{"sequence":4,"timeUSec":1772532662114000,"name":"web","from":"running",
                "to":"backoff","cause":"exit 3","run":{"pid":7,"cpuUSec":12000}}})",
                               false)};
}

TEST(Events, EndWithTheSnapshotUnlessFollowed) {
    FakeDaemon daemon(three_replies);
    const auto printed = run_procsupctl(daemon, {"events"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("web  running"), std::string::npos);
    EXPECT_EQ(printed.out.find("backoff"), std::string::npos);
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Subscribe {"names":[]})");
}

TEST(Events, FollowedTellOfChangesAndLosses) {
    setenv("TZ", "UTC", 1);
    tzset();
    FakeDaemon daemon(three_replies);
    const auto printed = run_procsupctl(daemon, {"events", "-f", "web"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("10:11:02.113 web waits for tcp 80: refused\\x1b\n10:11:02.113 web says: half\n"),
              std::string::npos);
    EXPECT_NE(printed.out.find("2 events lost"), std::string::npos);
    EXPECT_NE(printed.out.find("10:11:02.114 web running -> backoff: exit 3\n             pid 7, 12ms of CPU\n"),
              std::string::npos);
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Subscribe {"names":["web"],"words":true})");
}

}  // namespace
}  // namespace procsup::ctl
