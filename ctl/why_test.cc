#include "ctl/why.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kMailer = R"json({"name":"mailer","state":"failed","cause":"start limit hit (2 starts in 60s)",
    "advice":["procsupctl start mailer"],"history":[
    {"timeUSec":1772532662400000,"from":"backoff","to":"failed","cause":"start limit hit"},
    {"timeUSec":1772532662300000,"from":"running","to":"backoff","cause":"exit 78",
     "run":{"pid":8,"startedUSec":1772532662100000,"endedUSec":1772532662300000,"cpuUSec":4000,"orphans":0}},
    {"timeUSec":1772532662100000,"from":"starting","to":"running","cause":"executed"},
    {"timeUSec":1772532662000000,"from":"backoff","to":"starting","cause":"restart"},
    {"timeUSec":1772532661000000,"from":"running","to":"backoff","cause":"exit 78",
     "run":{"pid":7,"startedUSec":1772532660000000,"endedUSec":1772532661000000,"cpuUSec":4000,"orphans":0}},
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
    EXPECT_EQ(events[1].text, "exit 78 after 200ms");
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
        {"timeUSec":3000002,"from":"running","to":"starting","cause":"restarted after exit 3",
         "run":{"pid":7,"startedUSec":1000002,"endedUSec":3000002}},
        {"timeUSec":1000002,"from":"starting","to":"running","cause":"executed"},
        {"timeUSec":1000001,"from":"stopped","to":"starting","cause":"started with the daemon"}]})"));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].text, "running: restarted after exit 3");
    EXPECT_EQ(events[1].text, "exit 3 after 2.0s; started again");
}

TEST(Why, HasTheDurationOfTheWholeRunAsItsRecordDoes) {
    const auto reply = parsed(R"({"history":[
        {"timeUSec":9000000,"from":"stopping","to":"stopped","cause":"stop asked by uid 0; exit 3",
         "run":{"pid":7,"startedUSec":1000000,"endedUSec":8000000}},
        {"timeUSec":5000000,"from":"running","to":"stopping","cause":"stop asked by uid 0"},
        {"timeUSec":1000000,"from":"starting","to":"running","cause":"executed"}]})");
    ASSERT_EQ(past_events(reply).size(), 1u);
    EXPECT_EQ(past_events(reply).front().text, "stop asked by uid 0; exit 3 after 7.0s");
}

TEST(Why, TellsOneThingALineOfStartsWhosePreStartFailed) {
    const auto events = past_events(parsed(R"({"history":[
        {"timeUSec":9,"from":"backoff","to":"starting","cause":"restarted after pre_start failed: exit 3; running pre_start"},
        {"timeUSec":7,"from":"starting","to":"backoff","cause":"pre_start failed: exit 3"},
        {"timeUSec":6,"from":"starting","to":"starting","cause":"restarted after pre_start failed: exit 3; running pre_start"},
        {"timeUSec":5,"from":"stopped","to":"starting","cause":"wanted; running pre_start"}]})"));
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].text, "starting: restarted after pre_start failed: exit 3; running pre_start");
    EXPECT_EQ(events[1].text, "pre_start failed: exit 3");
    EXPECT_EQ(events[2].text, "pre_start failed: exit 3; started again");
}

TEST(Why, KeepsThatARestartHasNotUndoneWhatWasDone) {
    const auto events = past_events(parsed(R"-({"history":[
        {"timeUSec":5,"from":"running","to":"exited","cause":"exit 0","run":{"pid":7,"startedUSec":2,"endedUSec":1000002}},
        {"timeUSec":4,"from":"starting","to":"running","cause":"restart asked (stop_command failed: exit 4)"},
        {"timeUSec":3,"from":"stopping","to":"starting","cause":"restart asked (stop_command failed: exit 4)"},
        {"timeUSec":2,"from":"exited","to":"stopping","cause":"restart asked; running stop_command"}]})-"));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].text, "exit 0 after 1.0s");
    EXPECT_EQ(events[1].text, "starting: restart asked (stop_command failed: exit 4)");
    const auto killed = past_events(parsed(R"-({"history":[
        {"timeUSec":3,"from":"stopping","to":"starting","cause":"restart asked (stop_command was killed: late)"},
        {"timeUSec":2,"from":"exited","to":"stopping","cause":"restart asked; running stop_command"}]})-"));
    ASSERT_EQ(killed.size(), 1u);
    EXPECT_EQ(killed[0].text, "starting: restart asked (stop_command was killed: late)");
}

TEST(Why, TakesAReloadForPartOfItsRun) {
    const auto events = past_events(parsed(R"({"history":[
        {"timeUSec":5,"from":"reloading","to":"backoff","cause":"exit 3","run":{"pid":7,"startedUSec":2,"endedUSec":1000002}},
        {"timeUSec":4,"from":"running","to":"reloading","cause":"reload asked; running reload_command"},
        {"timeUSec":2,"from":"starting","to":"running","cause":"executed"}]})"));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].text, "exit 3 after 1.0s");
    const auto before = past_events(parsed(R"({"history":[
        {"timeUSec":4,"from":"running","to":"reloading","cause":"reload asked; running reload_command"},
        {"timeUSec":2,"from":"starting","to":"running","cause":"executed"}]})"));
    ASSERT_EQ(before.size(), 2u);
    EXPECT_EQ(before[0].text, "reloading: reload asked; running reload_command");
}

TEST(Why, ShowsWhatThePresentRunHasWritten) {
    const auto text = why_text(parsed(R"json({"name":"web","state":"starting","cause":"wanted; running pre_start",
        "advice":["procsupctl logs -f web"],"history":[],"lastLines":[],
        "newestLines":[{"stream":"stdout","lines":["migrating"]}]})json"),
                               Output(ColorChoice::Never, false));
    EXPECT_EQ(text,
              "web is starting because wanted; running pre_start\n"
              "  the last lines that its present run has written:\n"
              "    stdout | migrating\n"
              "  try: procsupctl logs -f web\n");
}

TEST(Why, TellsHowLongARunLastedRightBehindHowItEnded) {
    const auto told = [](const std::string& cause, const std::string& how) {
        const auto events =
            past_events(parsed((R"({"history":[{"timeUSec":3000000,"from":"running","to":"failed","cause":")" + cause +
                                R"(","run":{"pid":7,"startedUSec":1000000,"endedUSec":3000000,)" + how + "}}]}")
                                   .c_str()));
        return events.empty() ? "" : events.front().text;
    };
    EXPECT_EQ(told("exit 78 (EX_CONFIG); 78 is in prevent_restart_codes", R"("exitCode":78)"),
              "exit 78 (EX_CONFIG) after 2.0s; 78 is in prevent_restart_codes");
    EXPECT_EQ(told("stop asked; exit 3 (stop_command failed: exit 3)", R"("exitCode":3)"),
              "stop asked; exit 3 after 2.0s (stop_command failed: exit 3)");
    EXPECT_EQ(told("killed by SIGSEGV (core dumped)", R"("exitSignal":"SIGSEGV")"),
              "killed by SIGSEGV after 2.0s (core dumped)");
    EXPECT_EQ(told("exit 38 was before; it failed", R"("exitCode":3)"), "exit 38 was before; it failed after 2.0s");
}

TEST(Why, TellsWhatARunTookBelowItsEnd) {
    setenv("TZ", "UTC", 1);
    tzset();
    const auto reply = parsed(R"({"name":"web","state":"running","cause":"c","history":[
        {"timeUSec":4000000,"from":"starting","to":"running","cause":"restarted after exit 3"},
        {"timeUSec":3000000,"from":"running","to":"starting","cause":"restarted after exit 3",
         "run":{"pid":4711,"startedUSec":1000000,"endedUSec":3000000,"exitCode":3,"cpuUSec":203000,"orphans":0,"orphansCpuUSec":0}},
        {"timeUSec":1000000,"from":"starting","to":"running","cause":"executed"}]})");
    EXPECT_EQ(why_text(reply, Output(ColorChoice::Never, false)),
              "web is running because c\n"
              "  00:00:04 running: restarted after exit 3\n"
              "  00:00:03 exit 3 after 2.0s; started again\n"
              "           pid 4711, 203ms of CPU\n");
}

TEST(Why, SaysWhereOlderChangesAreThanAreRemembered) {
    const auto text_of = [](int changes) {
        std::string entries;
        for (int i = 0; i < changes; ++i) {
            entries += std::string(i > 0 ? "," : "") + R"({"timeUSec":1,"from":"running","to":"reloading","cause":")" +
                       std::to_string(i) + "\"}";
        }
        return why_text(
            parsed((R"({"name":"a b","state":"reloading","advice":[],"history":[)" + entries + "]}").c_str()),
            Output(ColorChoice::Never, false));
    };
    EXPECT_EQ(text_of(15).find("older:"), std::string::npos);
    EXPECT_TRUE(text_of(16).ends_with("\n  older: procsupctl history 'a b'\n")) << text_of(16);
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
              "  10:11:02 exit 78 after 200ms   (not for the first time)\n"
              "           pid 8, 4ms of CPU\n"
              "  older: procsupctl history mailer\n"
              "  starts by itself? no: state failed. try: procsupctl start mailer\n");
    EXPECT_EQ(daemon.calls(), (std::vector<std::string>{R"(io.procsupd.Job.Why {"name":"mailer"})",
                                                        R"(io.procsupd.Manager.Status {"names":["mailer"]})"}));
}

}  // namespace
}  // namespace procsup::ctl
