#include "ctl/past_run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "ctl/text.h"

namespace procsup::ctl {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr std::int64_t kSecond = 1'000'000;
/// Tue 2026-03-03 10:11:02 UTC
constexpr std::int64_t kTime = 1'772'532'662 * kSecond;

/// The record of a run of `name` that ended `second` seconds later.
std::string record(int second, const std::string& more = R"("exitCode":0)", const std::string& name = "web@0") {
    return R"({"name":")" + name + R"(","job":"web","startedUSec":)" + std::to_string(kTime) + R"(,"endedUSec":)" +
           std::to_string(kTime + second * kSecond) + R"(,"startCause":"wanted","daemon":7,"sequence":)" +
           std::to_string(second) + "," + more + "}";
}

PastRun run_of(const std::string& text) {
    auto value = json::parse(text);
    auto run = value ? PastRun::of(std::move(*value)) : std::nullopt;
    EXPECT_TRUE(run) << text;
    return run.value_or(PastRun());
}

bool is_refused(const std::string& text) {
    auto value = json::parse(text);
    return value && !PastRun::of(std::move(*value));
}

/// How many seconds each of them lasted.
std::vector<std::int64_t> seconds(const std::vector<PastRun>& runs) {
    std::vector<std::int64_t> result;
    for (const auto& run : runs) result.push_back((run.ended_usec.value_or(0) - kTime) / kSecond);
    return result;
}

JobRuns some(std::size_t most) { return {most, std::nullopt}; }

TEST(PastRun, SaysHowItEnded) {
    EXPECT_EQ(run_of(record(1, R"("exitCode":78)")).end_text(), "exit 78");
    EXPECT_EQ(run_of(record(1, R"("exitSignal":"SIGSEGV","coreDumped":true)")).end_text(), "SIGSEGV (core)");
    EXPECT_EQ(run_of(record(1, R"("endCause":"cannot exec /x: ")")).end_text(), "not started");
    EXPECT_EQ(run_of(R"({"name":"web","startedUSec":1,"state":"paused"})").end_text(), "paused");
}

TEST(PastRun, SaysWhyItWasEndedWhenThatIsMoreThanHow) {
    const auto cause = [](const std::string& end, const std::string& how) {
        return run_of(record(1, how + R"(,"endCause":")" + end + "\"")).cause_text();
    };
    const std::string exit = R"("exitCode":78)", term = R"("exitSignal":"SIGTERM")", kill = R"("exitSignal":"SIGKILL")";
    EXPECT_EQ(cause("exit 78 (EX_CONFIG)", exit), "wanted");
    EXPECT_EQ(cause("stop asked by uid 0 (pid 12); killed by SIGTERM", term), "wanted -> stop asked by uid 0 (pid 12)");
    EXPECT_EQ(cause("exit 78 (EX_CONFIG); 78 is in prevent_restart_codes", exit),
              "wanted -> 78 is in prevent_restart_codes");
    EXPECT_EQ(cause("not ready within 20s (notify), killed by SIGTERM", term),
              "wanted -> not ready within 20s (notify)");
    EXPECT_EQ(cause("killed by SIGKILL: by the kernel's OOM killer", kill),
              "wanted -> killed by SIGKILL: by the kernel's OOM killer");
    EXPECT_EQ(run_of(record(1, R"("endCause":"cannot exec /x: No")")).cause_text(), "wanted -> cannot exec /x: No");
}

TEST(PastRun, OfATeardownNamesTheCommand) {
    const auto teardown = run_of(record(1, R"("teardown":true,"exitCode":1,"endCause":"stop_command failed: exit 1")"));
    EXPECT_EQ(teardown.cause_text(), "stop_command: wanted -> stop_command failed: exit 1");
    EXPECT_EQ(run_of(record(1, R"("teardown":true,"exitCode":0,"endCause":"exit 0")")).cause_text(),
              "stop_command: wanted");
}

TEST(PastRun, IsNoneWithoutANameOrWithTimesThatCannotBe) {
    EXPECT_TRUE(is_refused("{}"));
    EXPECT_TRUE(is_refused("[]"));
    EXPECT_TRUE(is_refused("7"));
    EXPECT_TRUE(is_refused(R"({"startedUSec":1,"endedUSec":2})"));
    EXPECT_TRUE(is_refused(R"({"name":"web","endedUSec":2})"));
    EXPECT_TRUE(is_refused(R"({"name":"web","startedUSec":-9223372036854775808,"endedUSec":9223372036854775807})"));
    EXPECT_TRUE(is_refused(R"({"name":"web","startedUSec":1,"endedUSec":"2"})"));
}

TEST(PastRun, OfWrongTypesIsTakenAsFarAsItGoes) {
    const auto run = run_of(R"({"name":"a","startedUSec":1,"endedUSec":2,"exitCode":"x","exitSignal":5,"cpuUSec":-4,
        "lost":-3,"orphans":[],"startCause":{}})");
    EXPECT_FALSE(run.exit);
    EXPECT_FALSE(run.cpu);
    EXPECT_EQ(run.lost, 0);
    EXPECT_EQ(run_of(R"({"name":"a","startedUSec":1,"lost":9223372036854775807})").lost, 1'000'000'000);
}

TEST(JobRuns, TakeTheNewestOfLinesAndGiveThemOldestFirst) {
    auto runs = some(2);
    runs.add_lines(record(1) + "\n" + record(2) + "\n" + record(3) + "\n", false);
    EXPECT_TRUE(runs.complete());
    EXPECT_EQ(seconds(runs.take()), (std::vector<std::int64_t>{2, 3}));
}

TEST(JobRuns, TakeEachRunOnceHoweverOftenItComes) {
    auto runs = some(9);
    runs.add(run_of(record(3)));
    runs.add_lines(record(2) + "\n" + record(2) + "\n" + record(3) + "\n", false);
    runs.add_lines(record(1) + "\n" + record(2) + "\n", false);
    EXPECT_EQ(seconds(runs.take()), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(JobRuns, OfCertainInstancesLeaveOutTheOthers) {
    JobRuns runs(1, Texts{"web@1"});
    runs.add_lines(record(1, R"("exitCode":0)", "web@1") + "\n" + record(2) + "\n", false);
    EXPECT_EQ(seconds(runs.take()), std::vector<std::int64_t>{1});
}

TEST(JobRuns, LeaveOutWhatIsNotReadableAndCountIt) {
    auto runs = some(9);
    runs.add_lines(record(1) + "\n" + std::string(5, '\0') + "\nnonsense\n\n" + record(2) + "\n{\"name\":\"web", false);
    EXPECT_EQ(runs.unreadable(), 4u);
    EXPECT_EQ(seconds(runs.take()), (std::vector<std::int64_t>{1, 2}));
}

TEST(JobRuns, DoNotCountALineOfWhichOnlyTheEndWasRead) {
    auto runs = some(9);
    runs.add_lines("1}\n" + record(2) + "\n", true);
    EXPECT_EQ(runs.unreadable(), 0u);
    EXPECT_EQ(seconds(runs.take()), std::vector<std::int64_t>{2});
}

TEST(MergedRuns, AreInTheOrderInWhichTheyEnded) {
    std::vector<std::vector<PastRun>> jobs(2);
    jobs[0] = {run_of(record(1)), run_of(record(4))};
    jobs[1] = {run_of(record(2)), run_of(record(3))};
    EXPECT_EQ(seconds(merged(jobs, 9)), (std::vector<std::int64_t>{1, 2, 3, 4}));
    EXPECT_EQ(seconds(merged(std::move(jobs), 2)), (std::vector<std::int64_t>{3, 4}));
}

TEST(MergedRuns, OfAJobStayInItsOrderWhateverTheClockShowed) {
    std::vector<std::vector<PastRun>> jobs(2);
    jobs[0] = {run_of(record(9)), run_of(record(1))};
    jobs[1] = {run_of(record(5))};
    EXPECT_EQ(seconds(merged(std::move(jobs), 9)), (std::vector<std::int64_t>{5, 9, 1}));
}

TEST(RunsTable, HasALineForEachRun) {
    ::setenv("TZ", "UTC", 1);
    const Output out(ColorChoice::Never, false);
    const auto text = runs_table(
        {run_of(record(
             90,
             R"("exitSignal":"SIGTERM","cpuUSec":71000,"endCause":"stop asked by uid 0 (pid 2); killed by SIGTERM")")),
         run_of(R"({"name":"db","startedUSec":)" + std::to_string(kTime) +
                R"(,"state":"running","startCause":"\u001b[31m"})")},
        kTime + 250'000, out);
    EXPECT_EQ(text,
              "INSTANCE  STARTED              LASTED    END      CPU   CAUSE\n"
              "web@0     2026-03-03 10:11:02  1min 30s  SIGTERM  71ms  wanted -> stop asked by uid 0 (pid 2)\n"
              "db        2026-03-03 10:11:02  250ms     running  -     \\x1b[31m\n");
}

}  // namespace
}  // namespace procsup::ctl
