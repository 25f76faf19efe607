#include "ctl/instance_view.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

namespace procsup::ctl {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kNow = 1'772'532'662'000'000;
constexpr std::int64_t kSecond = 1'000'000;

json::Value reply() {
    auto value =
        json::parse(R"json({"daemon":{"version":"1.0.0","uptimeUSec":273600000000,"state":"running"},"instances":[
        {"name":"web@10","job":"web","state":"running","ready":true,"pid":12,"restarts":0,"sinceUSec":1772524802000000},
        {"name":"web@2","job":"web","state":"running","ready":true,"pid":11,"restarts":1,"sinceUSec":1772524702000000},
        {"name":"mailer","job":"mailer","state":"failed","ready":false,"restarts":5,"sinceUSec":1772532422000000,
         "exitCode":78,"cause":"exit 78 (EX_CONFIG)"},
        {"name":"importer","job":"importer","state":"backoff","ready":false,"restarts":3,
         "sinceUSec":1772532653000000,"nextStartUSec":1772532673000000,"exitSignal":"SIGSEGV",
         "cause":"killed by SIGSEGV"}]})json");
    EXPECT_TRUE(value);
    return std::move(*value);
}

TEST(StatusTable, HasALineForEachJobWithItsWorstState) {
    const auto value = reply();
    const auto instances = instances_of(value);
    const Output out(ColorChoice::Never, false);
    EXPECT_EQ(job_table(job_rows(instances), kNow, out),
              "  JOB       STATE    READY  SINCE   RESTARTS  PID  DETAIL\n"
              "~ importer  backoff  0/1    9s      3         -    next start in 11s (killed by SIGSEGV)\n"
              "x mailer    failed   0/1    4m      5         -    exit 78 (EX_CONFIG)\n"
              "* web       running  2/2    2h 11m  1         -    2 instances\n");
}

TEST(StatusTable, HasColumnsOfWhatIsUsedWhereAnyOfItIsKnown) {
    const auto value = json::parse(R"json({"instances":[
        {"name":"db","job":"db","state":"stopped","sinceUSec":1772532653000000},
        {"name":"web@0","job":"web","state":"running","ready":true,"pid":12,"sinceUSec":1772532653000000,
         "cpuUSec":1500000,"memory":1048576,"memoryPeak":9,"tasks":1,"notEnforced":[{"key":"limits.nice"}]},
        {"name":"web@1","job":"web","state":"running","ready":true,"pid":13,"sinceUSec":1772532653000000,
         "cpuUSec":1000000,"memory":2097152}]})json");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const Output out(ColorChoice::Never, false);
    EXPECT_EQ(job_table(job_rows(instances), kNow, out),
              "  JOB  STATE    READY  SINCE  RESTARTS  PID  TASKS  CPU   MEM   DETAIL\n"
              "- db   stopped  0/1    9s     0         -    -      -     -\n"
              "* web  running  2/2    9s     0         -    1      2.5s  3.0M  2 instances; web@0: a setting is not "
              "enforced\n");
    EXPECT_EQ(instance_table(instances, kNow, out),
              "  JOB    STATE    READY  SINCE  RESTARTS  PID  TASKS  CPU   MEM   DETAIL\n"
              "- db     stopped  no     9s     0         -    -      -     -\n"
              "* web@0  running  yes    9s     0         12   1      1.5s  1.0M  a setting is not enforced\n"
              "* web@1  running  yes    9s     0         13   -      1.0s  2.0M\n");
}

TEST(StatusTable, SaysWhereAJobWasScaled) {
    const auto value = json::parse(R"json({"instances":[
        {"name":"db@0","job":"db","state":"running","ready":true,"pid":12,"fileInstances":3},
        {"name":"web","job":"web","state":"running","ready":true,"pid":13,"fileInstances":1,"scaledInstances":2},
        {"name":"web@1","job":"web","state":"stopped","cause":"never started","fileInstances":1}]})json");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const Output out(ColorChoice::Never, false);
    EXPECT_EQ(job_table(job_rows(instances), kNow, out),
              "  JOB  STATE    READY  SINCE  RESTARTS  PID  DETAIL\n"
              "* db   running  1/1    -      0         12   1 instance (file says 3)\n"
              "- web  stopped  1/2    -      0         -    2 instances (file says 1); web@1: never started\n");
    EXPECT_NE(
        instance_block(instances[1], "", kNow, out).find("\n   scaled: 2 instances by scale; the file of web says 1\n"),
        std::string::npos);
}

TEST(StatusTable, ShowsHealth) {
    const auto value =
        json::parse(R"json({"instances":[
        {"name":"bad","job":"bad","state":"running","ready":true,"health":"unhealthy","healthSinceUSec":)json" +
                    std::to_string(kNow - 5'000'000) +
                    R"json(,"healthProblem":"answered 503","healthRestarts":3,"healthRestartDueUSec":)json" +
                    std::to_string(kNow + 540'000'000) + R"json(},
        {"name":"good","job":"good","state":"running","ready":true,"health":"healthy","healthProblem":"no answer"},
        {"name":"new","job":"new","state":"running","ready":true,"health":"unknown","healthProblem":"no answer"}]})json");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const Output out(ColorChoice::Never, false);
    EXPECT_EQ(instance_table(instances, kNow, out),
              "  JOB   STATE    READY  SINCE  RESTARTS  PID  DETAIL\n"
              "~ bad   running  yes    -      0         -    unhealthy: answered 503\n"
              "* good  running  yes    -      0         -\n"
              "* new   running  yes    -      0         -    not healthy yet: no answer\n");
    EXPECT_NE(instance_block(instances[0], "", kNow, out)
                  .find("\n   health: unhealthy for 5s: answered 503; restarts for that: 3; the next one in 9m\n"),
              std::string::npos);
    EXPECT_NE(
        instance_block(instances[1], "", kNow, out).find("\n   health: healthy; the last look failed: no answer\n"),
        std::string::npos);
}

TEST(StatusTable, CountsApartWhatAJobHasNoMore) {
    const auto value = json::parse(R"json({"instances":[
        {"name":"old","job":"old","state":"stopping","cause":"no longer configured","leaves":true},
        {"name":"web@0","job":"web","state":"running","ready":true,"pid":12},
        {"name":"web@1","job":"web","state":"stopping","pid":13,"cause":"scale to 1","leaves":true}]})json");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const auto rows = job_rows(instances);
    EXPECT_FALSE(rows[0].works);
    EXPECT_TRUE(rows[1].works);
    const Output out(ColorChoice::Never, false);
    EXPECT_EQ(job_table(rows, kNow, out),
              "  JOB  STATE     READY  SINCE  RESTARTS  PID  DETAIL\n"
              "~ old  stopping  0/1    -      0         -    no longer configured; is forgotten when it has ended\n"
              "* web  running   1/1    -      0         12   1 instance, 1 more on the way out\n");
    EXPECT_NE(instance_table(instances, kNow, out).find("scale to 1; is forgotten when it has ended\n"),
              std::string::npos);
}

TEST(StatusTable, SaysWhatAReloadThatGoesOnWaitsFor) {
    const auto value = json::parse(R"json({"instances":[
        {"name":"web","job":"web","state":"reloading","ready":true,"pid":13,"awaits":"READY=1","cause":"it reads"}]})json");
    ASSERT_TRUE(value);
    const Output out(ColorChoice::Never, false);
    EXPECT_EQ(job_table(job_rows(instances_of(*value)), kNow, out),
              "  JOB  STATE      READY  SINCE  RESTARTS  PID  DETAIL\n"
              "* web  reloading  1/1    -      0         13   waits for READY=1\n");
}

TEST(Waiting, IsToldOfWhatIsNotAsItIsToBe) {
    const auto text_of = [](const char* members, const char* goal) {
        const auto value = json::parse(std::string(R"({"name":"web",)") + members + "}");
        return waiting_text(InstanceView::of(*value), goal, kNow);
    };
    const auto* const backoff = R"("state":"backoff","cause":"exit 1","nextStartUSec":1772532664000000)";
    EXPECT_TRUE(text_of(backoff, "ready").starts_with("waiting for web, which is backoff: next start in "))
        << text_of(backoff, "ready");
    EXPECT_EQ(text_of(backoff, "stopped"), "waiting for web, which is backoff");
    EXPECT_EQ(text_of(backoff, "exit"), "");
    EXPECT_EQ(text_of(R"("state":"running","awaits":"tcp 80")", "ready"),
              "waiting for web, which is running: not ready: waits for tcp 80");
    EXPECT_EQ(text_of(R"("state":"running","ready":true)", "ready"), "");
    EXPECT_EQ(text_of(R"("state":"running","ready":true)", "exit"), "waiting for web, which is running");
    EXPECT_EQ(text_of(R"("state":"failed")", "ready"), "");
    EXPECT_EQ(text_of(R"("state":"stopped")", "ready"), "waiting for web, which is stopped");
    EXPECT_EQ(text_of(R"("state":"stopped")", "stopped"), "");
}

TEST(StatusTable, CountsJobsInTheSummaryAndNamesTheNextCommand) {
    const auto value = reply();
    const auto instances = instances_of(value);
    const auto rows = job_rows(instances);
    EXPECT_EQ(summary_line(*value.find("daemon"), rows),
              "procsupd 1.0.0  up 3d 4h  jobs: 1 running, 1 failed, 1 backoff");
    EXPECT_EQ(next_command(rows), "procsupctl why mailer");
}

TEST(StatusTable, ShowsInstancesInNaturalOrder) {
    const auto value = reply();
    const auto instances = instances_of(value);
    ASSERT_EQ(instances.size(), 4u);
    EXPECT_EQ(instances[2].name, "web@2");
    EXPECT_EQ(instances[3].name, "web@10");
}

TEST(StatusTable, NamesTheInstanceThatIsInTrouble) {
    const auto value = json::parse(R"({"instances":[
        {"name":"web@0","job":"web","state":"running","ready":true,"sinceUSec":1},
        {"name":"web@1","job":"web","state":"failed","sinceUSec":1,"cause":"exit 1"}]})");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const auto rows = job_rows(instances);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].worst->name, "web@1");
    EXPECT_EQ(rows[0].ready, 1u);
    EXPECT_NE(job_table(rows, kNow, Output(ColorChoice::Never, false)).find("2 instances; web@1: exit 1"),
              std::string::npos);
    EXPECT_EQ(next_command(rows), "procsupctl why web@1");
}

TEST(StatusTable, EscapesWhatTheSupervisorSends) {
    const auto value = json::parse(R"({"instances":[{"name":"\u001b]0;x","job":"\u001b]0;x","state":"\u001b[2J",
        "cause":"\u0007"}]})");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const Output out(ColorChoice::Never, false);
    const std::string text = job_table(job_rows(instances), kNow, out) + instance_table(instances, kNow, out) +
                             instance_block(instances[0], "\x1b", kNow, out);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
}

TEST(StatusTable, ColoursStatesWhenAsked) {
    const auto value = reply();
    const auto instances = instances_of(value);
    EXPECT_NE(instance_table(instances, kNow, Output(ColorChoice::Always, false)).find("\x1b[1;31mfailed\x1b[0m"),
              std::string::npos);
}

TEST(InstanceBlock, TellsEverythingAboutOne) {
    setenv("TZ", "UTC", 1);
    tzset();
    InstanceView instance;
    instance.name = "web@1";
    instance.job = "web";
    instance.state = "running";
    instance.ready = true;
    instance.pid = 41822;
    instance.restarts = 2;
    instance.since_usec = kNow - 7860 * kSecond;
    instance.description = "ticket API";
    instance.owner = "alice";
    instance.exit_code = 0;
    instance.last_run = EndedRun{41800, kNow - 7900 * kSecond, kNow - 7861 * kSecond, 203ms, 12, 310ms};
    instance.usage = {242s, 104 << 20, 131 << 20, 9};
    EXPECT_EQ(instance_block(instance, "python3 -m shop.web", kNow, Output(ColorChoice::Never, false)),
              "* web@1 - ticket API\n"
              "    state: running (ready) since Tue 2026-03-03 08:00:02 UTC; 2h 11min\n"
              "      pid: 41822 python3 -m shop.web\n"
              "    tasks: 9\n"
              "      res: cpu 4min 2s, mem 104M (peak 131M), restarts 2\n"
              "     exit: last: exit 0 at Tue 2026-03-03 08:00:01 UTC (pid 41800)\n"
              "     took: 203ms of CPU, and 12 orphans, 310ms of CPU\n"
              "    owner: alice\n");
}

TEST(InstanceBlock, TellsOfAWatchdogAndOfWhatIsLeftForAStart) {
    const auto block = [](const std::string& members) {
        const auto value = json::parse(R"({"name":"web",)" + members + "}");
        EXPECT_TRUE(value) << members;
        return value ? instance_block(InstanceView::of(*value), "", kNow, Output(ColorChoice::Never, false)) : "";
    };
    const auto watched = block(R"("state":"running","ready":true,"watchdogUSec":30000000,"signOfLifeUSec":)" +
                               std::to_string(kNow - 2100000));
    EXPECT_NE(watched.find("\n watchdog: 30s (27.9s left until the next sign of life)\n"), std::string::npos)
        << watched;
    const auto starting = block(R"("state":"starting","cause":"wanted; running pre_start","readyDueUSec":)" +
                                std::to_string(kNow + 85 * kSecond));
    EXPECT_NE(starting.find("\n    cause: wanted; running pre_start (1m left)\n"), std::string::npos) << starting;
    EXPECT_EQ(starting.find("watchdog"), std::string::npos) << starting;
    const auto off = block(R"("state":"running","ready":true,"watchdogOff":true)");
    EXPECT_NE(off.find("\n watchdog: none: the job has switched it off for this run\n"), std::string::npos) << off;
}

TEST(InstanceBlock, TellsWhenAStopKillsAndThatAStartFollows) {
    const auto value = json::parse(R"({"instances":[{"name":"web","job":"web","state":"stopping","cause":"stop asked",)"
                                   R"("startsAgain":true,"killDueUSec":)" +
                                   std::to_string(kNow + 7 * kSecond) + "}]}");
    ASSERT_TRUE(value);
    const auto instances = instances_of(*value);
    const Output out(ColorChoice::Never, false);
    const std::string follows = "is killed in 7s; is started again when it has ended\n";
    const auto block = instance_block(instances[0], "", kNow, out);
    EXPECT_NE(block.find("\n    cause: stop asked\n     next: " + follows), std::string::npos) << block;
    const auto table = instance_table(instances, kNow, out);
    EXPECT_NE(table.find("  stop asked; " + follows), std::string::npos) << table;
}

TEST(InstanceBlock, TellsSinceWhenAPausedJobRunsAndWhyItWasStarted) {
    setenv("TZ", "UTC", 1);
    tzset();
    const auto value = json::parse(
        R"({"name":"web","state":"paused","cause":"pause asked","startCause":"by hand","sinceUSec":)" +
        std::to_string(kNow - 7860 * kSecond) + R"(,"stateSinceUSec":)" + std::to_string(kNow - 7 * kSecond) + "}");
    ASSERT_TRUE(value);
    const auto block = instance_block(InstanceView::of(*value), "", kNow, Output(ColorChoice::Never, false));
    EXPECT_NE(block.find("\n    state: paused for 7s; runs since Tue 2026-03-03 08:00:02 UTC; 2h 11min\n"
                         "    cause: pause asked\n    start: by hand\n"),
              std::string::npos)
        << block;
}

TEST(InstanceBlock, HasALineForEachSettingThatIsNotEnforced) {
    const auto value = json::parse(
        R"({"name":"web","state":"running","notEnforced":[{"key":"limits.nice","value":"-5","reason":"no\u001b"},
            {"key":"limits.core","value":"\"1B\"","reason":"not here"}]})");
    ASSERT_TRUE(value);
    const auto block = instance_block(InstanceView::of(*value), "", kNow, Output(ColorChoice::Never, false));
    EXPECT_NE(
        block.find("\n  not enforced: limits.nice = -5 (no\\x1b)\n  not enforced: limits.core = \"1B\" (not here)\n"),
        std::string::npos)
        << block;
}

TEST(StatusJson, HasEveryPromisedMemberAndNullWhereItDoesNotApply) {
    const auto value = json::parse(
        R"({"daemon":{"runtimeDir":"/run/procsupd"},"instances":[{"name":"web","job":"web","state":"stopped",
            "ready":false,"restarts":0,"sinceUSec":7,"cause":"","tags":["a"]}]})");
    ASSERT_TRUE(value);
    json::Writer writer;
    write_status_json(*value, writer);
    EXPECT_EQ(writer.text(),
              R"({"daemon":{"runtime_dir":"/run/procsupd"},"instances":[{"name":"web","job":"web","state":"stopped",)"
              R"("pid":null,"ready":false,"restarts":0,"since_usec":7,"exit_code":null,"exit_signal":null,)"
              R"("last_run":null,"cause":"","tags":["a"]}]})");
}

}  // namespace
}  // namespace procsup::ctl
