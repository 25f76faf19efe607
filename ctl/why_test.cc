#include "ctl/why.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kMailer = R"json({"name":"mailer","state":"failed","cause":"start limit hit (2 starts in 60s)",
    "advice":["procsupctl reset mailer && procsupctl start mailer"],"history":[
    {"timeUSec":1772532662400000,"from":"backoff","to":"failed","cause":"start limit hit"},
    {"timeUSec":1772532662300000,"from":"running","to":"backoff","cause":"exit 78"},
    {"timeUSec":1772532662100000,"from":"starting","to":"running","cause":"executed"},
    {"timeUSec":1772532662000000,"from":"backoff","to":"starting","cause":"restart"},
    {"timeUSec":1772532661000000,"from":"running","to":"backoff","cause":"exit 78"},
    {"timeUSec":1772532660000000,"from":"starting","to":"running","cause":"executed"},
    {"timeUSec":1772532660000000,"from":"stopped","to":"starting","cause":"started with the daemon"}]})json";

json::Value parsed(const char* text) {
    auto value = json::parse(text);
    EXPECT_TRUE(value);
    return std::move(*value);
}

TEST(Why, CondensesRunsThatEndedTheSameWay) {
    const auto events = past_events(parsed(kMailer));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].text, "failed: start limit hit");
    EXPECT_EQ(events[1].text, "exit 78 after 0.2s");
    EXPECT_EQ(events[1].repeated, 1u);
}

TEST(Why, ShowsWhatTheRunWroteAtLast) {
    const auto text = why_text(parsed(R"json({"name":"mailer","state":"failed","cause":"exit 78","advice":[],
        "history":[],"lastLines":[{"stream":"stderr","lines":["SMTP_HOST not set","\u001b[31mbye"]}],
        "outputProblem":"cannot write to /log/m.out.log: No space left on device"})json"),
                               Output(ColorChoice::Never, false));
    EXPECT_NE(text.find("    stderr | SMTP_HOST not set\n    stderr | \\x1b[31mbye\n"), std::string::npos) << text;
    EXPECT_NE(text.find("what it writes waits: cannot write"), std::string::npos) << text;
}

TEST(Why, ShowsTheWholeChainOfWhatIsWaitedFor) {
    const auto text =
        why_text(parsed(R"json({"name":"top","state":"waiting","cause":"started; waits for mid to be ready",
        "advice":["procsupctl start base"],"history":[],"behind":[
        {"name":"mid","state":"waiting","cause":"started; waits for base to be ready","lastLines":[]},
        {"name":"base","state":"backoff","cause":"exit 78; next start in 2s","origin":"/etc/procsupd/jobs.d/base.toml:1",
         "lastLines":[{"stream":"stderr","lines":["no disk"]}]}]})json"),
                 Output(ColorChoice::Never, false));
    EXPECT_EQ(text,
              "top is waiting because started; waits for mid to be ready\n"
              "  mid is waiting because started; waits for base to be ready\n"
              "  base is backoff because exit 78; next start in 2s\n"
              "    its settings: /etc/procsupd/jobs.d/base.toml:1\n"
              "    the last lines of the newest run that failed:\n"
              "      stderr | no disk\n"
              "  try: procsupctl start base\n");
}

TEST(Why, ShowsLimitsAtWhichTheRunMayHaveEnded) {
    const auto reply = json::parse(
        R"({"name":"web","state":"failed","cause":"killed by SIGSEGV","limits":["limits.stack = \"4KiB\"","\u001b"]})");
    ASSERT_TRUE(reply);
    const auto text = why_text(*reply, Output(ColorChoice::Never, false));
    EXPECT_NE(text.find("\n  this may be a limit of the job: limits.stack = \"4KiB\", \\x1b\n"), std::string::npos)
        << text;
}

TEST(Why, KeepsTheStartOfTheRunThatGoesOn) {
    const auto events = past_events(parsed(R"({"history":[
        {"timeUSec":2,"from":"starting","to":"running","cause":"executed"},
        {"timeUSec":1,"from":"stopped","to":"starting","cause":"started with the daemon"}]})"));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].text, "running: executed");
    EXPECT_EQ(events[1].text, "starting: started with the daemon");
}

TEST(Why, KeepsTheEndOfARunThatIsStartedAgainAtOnce) {
    const auto events = past_events(parsed(R"({"history":[
        {"timeUSec":3000003,"from":"starting","to":"running","cause":"restarted after exit 3"},
        {"timeUSec":3000002,"from":"running","to":"starting","cause":"restarted after exit 3"},
        {"timeUSec":1000002,"from":"starting","to":"running","cause":"executed"},
        {"timeUSec":1000001,"from":"stopped","to":"starting","cause":"started with the daemon"}]})"));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].text, "running: restarted after exit 3");
    EXPECT_EQ(events[1].text, "exit 3 after 2.0s; started again");
}

TEST(Why, MeasuresARunThroughItsStop) {
    const auto reply = parsed(R"({"history":[
        {"timeUSec":9000000,"from":"stopping","to":"stopped","cause":"stop asked by uid 0"},
        {"timeUSec":5000000,"from":"running","to":"stopping","cause":"stop asked by uid 0"},
        {"timeUSec":1000000,"from":"starting","to":"running","cause":"executed"}]})");
    EXPECT_EQ(past_events(reply).front().text, "stop asked by uid 0 after 4.0s");
    EXPECT_EQ(last_run_time(reply), std::chrono::seconds(4));
}

TEST(Why, TellsWhatARunTookBelowItsEnd) {
    setenv("TZ", "UTC", 1);
    tzset();
    const auto reply = parsed(R"({"name":"web","state":"running","cause":"c","history":[
        {"timeUSec":4000000,"from":"starting","to":"running","cause":"restarted after exit 3"},
        {"timeUSec":3000000,"from":"running","to":"starting","cause":"restarted after exit 3",
         "run":{"pid":4711,"endedUSec":3000000,"exitCode":3,"cpuUSec":203000,"orphans":0,"orphansCpuUSec":0}},
        {"timeUSec":1000000,"from":"starting","to":"running","cause":"executed"}]})");
    EXPECT_EQ(why_text(reply, Output(ColorChoice::Never, false)),
              "web is running because c\n"
              "  00:00:04 running: restarted after exit 3\n"
              "  00:00:03 exit 3 after 2.0s; started again\n"
              "           pid 4711, 203ms of CPU\n");
}

TEST(Why, PrintsCauseHistoryAndAdviceAndExits3) {
    setenv("TZ", "UTC", 1);
    tzset();
    FakeDaemon daemon("io.procsupd.Job.Why", kMailer);
    const auto printed = run_procsupctl(daemon, {"why", "mailer"});
    EXPECT_EQ(printed.code, 3);
    EXPECT_EQ(printed.out,
              "mailer is failed because start limit hit (2 starts in 60s)\n"
              "  10:11:02 failed: start limit hit\n"
              "  10:11:02 exit 78 after 0.2s   (1 more)\n"
              "  would start now? no: state failed. try: procsupctl reset mailer && procsupctl start mailer\n");
    EXPECT_EQ(daemon.calls(), (std::vector<std::string>{R"(io.procsupd.Job.Why {"name":"mailer"})",
                                                        R"(io.procsupd.Manager.Status {"names":["mailer"]})"}));
}

}  // namespace
}  // namespace procsup::ctl
