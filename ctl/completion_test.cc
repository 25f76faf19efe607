#include "ctl/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

Candidates candidates(const std::vector<std::string_view>& words) { return candidates_for(words); }

std::vector<std::string> words(const std::vector<std::string_view>& before) {
    std::vector<std::string> result;
    for (const auto& candidate : candidates(before).words) result.push_back(candidate.word);
    return result;
}

TEST(Completion, OffersVerbsThatBeginSo) {
    EXPECT_THAT(words({"re"}), ElementsAre("restart", "reload", "resume", "reset"));
    EXPECT_THAT(words({""}), Contains("status"));
    EXPECT_THAT(words({""}), Not(Contains("__man")));
}

TEST(Completion, OffersTheOptionsOfAVerb) {
    EXPECT_THAT(words({"ro"}), ElementsAre("rollback"));
    EXPECT_THAT(words({"apply", "--dr"}), ElementsAre("--dry-run"));
    EXPECT_THAT(words({"rollback", "--no-re"}), ElementsAre("--no-restart"));
    EXPECT_THAT(words({"status", "--dr"}), IsEmpty());
}

TEST(Completion, OffersTheSecondWordOfAVerb) {
    EXPECT_THAT(words({"dae"}), ElementsAre("daemon"));
    EXPECT_THAT(words({"daemon", ""}), ElementsAre("status"));
}

TEST(Completion, OffersJobsAndTheSecondWordBehindAVerbThatHasBoth) {
    EXPECT_THAT(words({"logs", "r"}), ElementsAre("rotate"));
    EXPECT_TRUE(candidates({"logs", "r"}).jobs);
    EXPECT_THAT(words({"logs", "rotate", ""}), IsEmpty());
    EXPECT_THAT(words({"logs", "--output", ""}), ElementsAre("short", "json", "cat", "raw"));
    EXPECT_THAT(words({"logs", "web", "r"}), IsEmpty());
}

TEST(Completion, OffersLocksAndThenACommand) {
    EXPECT_THAT(words({"lock", ""}), ElementsAre("release", "ls", "break"));
    EXPECT_EQ(candidates({"lock", ""}).coordinated, "lock");
    EXPECT_EQ(candidates({"lock", "-n", ""}).coordinated, "lock") << "-n takes no argument here";
    EXPECT_TRUE(candidates({"lock", "printer", ""}).commands);
    EXPECT_EQ(candidates({"lock", "break", ""}).coordinated, "lock");
    EXPECT_EQ(candidates({"lock", "break", "printer", ""}).coordinated, "");
    EXPECT_EQ(candidates({"sem", "acquire", "--permits", "4", ""}).coordinated, "sem");
    EXPECT_TRUE(candidates({"sem", "acquire", "gpu", ""}).commands);
    EXPECT_EQ(candidates({"event", "wait", ""}).coordinated, "event");
    EXPECT_EQ(candidates({"value", "cas", ""}).coordinated, "value");
    EXPECT_EQ(candidates({"value", "cas", "left", ""}).coordinated, "");
    EXPECT_THAT(words({"value", "set", "--type=ui"}),
                ElementsAre("--type=uint8", "--type=uint16", "--type=uint32", "--type=uint64"));
    EXPECT_THAT(words({"event", ""}), ElementsAre("set", "clear", "wait", "ls"));
    EXPECT_THAT(words({"lock", "--tr"}), ElementsAre("--try"));
}

TEST(Completion, OffersOptionsOfTheVerbOnly) {
    EXPECT_THAT(words({"wait", "--f"}), ElementsAre("--for="));
    EXPECT_THAT(words({"status", "--f"}), IsEmpty());
    EXPECT_THAT(words({"restart", "--r"}), ElementsAre("--rolling"));
}

TEST(Completion, OffersTheChoicesOfAnOption) {
    EXPECT_THAT(words({"wait", "--for="}), ElementsAre("--for=ready", "--for=healthy", "--for=stopped", "--for=exit"));
    EXPECT_THAT(words({"--color", "al"}), ElementsAre("always"));
}

TEST(Completion, KnowsWhereJobsFilesAndCommandsStand) {
    EXPECT_TRUE(candidates({"start", ""}).jobs);
    EXPECT_TRUE(candidates({"--socket", "x", "why", ""}).jobs);
    EXPECT_FALSE(candidates({"why", "web", ""}).jobs);
    EXPECT_FALSE(candidates({"signal", ""}).jobs);
    EXPECT_TRUE(candidates({"scale", ""}).jobs);
    EXPECT_FALSE(candidates({"scale", "web", ""}).jobs);
    EXPECT_TRUE(candidates({"signal", "HUP", ""}).jobs);
    EXPECT_TRUE(candidates({"up", ""}).files);
    EXPECT_TRUE(candidates({"run", "--", ""}).commands);
    EXPECT_TRUE(candidates({"run", "--", "ls", ""}).files);
}

TEST(Completion, KnowsACommandWithoutDashesToo) {
    EXPECT_TRUE(candidates({"exec", "web", ""}).commands);
    EXPECT_TRUE(candidates({"exec", "web", "ls", ""}).files);
    EXPECT_TRUE(candidates({"run", "ls", "-"}).files);
    EXPECT_THAT(words({"run", "ls", "-"}), IsEmpty());
}

TEST(Completion, OffersJobsOnlyBehindTheDashesOfAVerbWithoutACommand) {
    EXPECT_TRUE(candidates({"logs", "--", "r"}).jobs);
    EXPECT_THAT(words({"logs", "--", "r"}), IsEmpty());
    EXPECT_TRUE(candidates({"logs", "--", "rotate", ""}).jobs);
    EXPECT_THAT(words({"logs", "--", "rotate", "--a"}), IsEmpty());
    EXPECT_FALSE(candidates({"start", "--", ""}).commands);
}

TEST(Completion, OffersTheShellsItHasAScriptFor) {
    EXPECT_THAT(words({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, OffersSignalsInTheSpellingThatWasBegun) {
    EXPECT_THAT(words({"signal", "HU"}), ElementsAre("HUP"));
    EXPECT_THAT(words({"signal", "SIGHU"}), ElementsAre("SIGHUP"));
}

TEST(Completion, PrintsJobsAndInstancesOfTheSupervisor) {
    FakeDaemon daemon("io.procsupd.Manager.Status",
                      R"({"daemon":{},"instances":[{"name":"web@1","job":"web"},{"name":"db","job":"db"}]})");
    const auto printed = run_procsupctl({"__complete", "--socket", daemon.socket(), "start", "w"});
    EXPECT_EQ(printed.out, "web\nweb@1\n");
    EXPECT_EQ(printed.code, 0);
}

TEST(Completion, DescribesVerbsAndOptionsAsTheTableDoes) {
    EXPECT_EQ(run_procsupctl({"__describe", "stat"}).out, "status\t" + std::string(find_verb("status")->help) + "\n");
    EXPECT_EQ(run_procsupctl({"__describe", "wait", "--fo"}).out,
              "--for=\twait until ready (default), healthy, stopped or the next exit\n");
    EXPECT_EQ(run_procsupctl({"__describe", "wait", "--for=r"}).out, "--for=ready\n");
    EXPECT_EQ(run_procsupctl({"__describe", "up", ""}).out, ":files\n");
}

TEST(Completion, DescribesInstancesByTheirStates) {
    FakeDaemon daemon("io.procsupd.Manager.Status", R"({"daemon":{},"instances":[
        {"name":"web@1","job":"web","state":"running"},{"name":"web@0","job":"web","state":"failed"},
        {"name":"db","job":"db","state":"stopped"}]})");
    EXPECT_EQ(run_procsupctl({"__describe", "--socket", daemon.socket(), "start", ""}).out,
              "db\tstopped\nweb\t2 instances\nweb@0\tfailed\nweb@1\trunning\n");
}

TEST(Completion, CallsTheFirstOfSeveralByANumberWhereItIsCalledAsTheJob) {
    FakeDaemon daemon("io.procsupd.Manager.Status", R"({"daemon":{},"instances":[
        {"name":"web","job":"web","state":"running"},{"name":"web@1","job":"web","state":"stopped"}]})");
    EXPECT_EQ(run_procsupctl({"__describe", "--socket", daemon.socket(), "start", ""}).out,
              "web\t2 instances\nweb@0\trunning\nweb@1\tstopped\n");
}

TEST(Completion, IsSilentWithoutASupervisor) {
    const auto printed = run_procsupctl({"__complete", "start", ""});
    EXPECT_EQ(printed.out + printed.err, "");
    EXPECT_EQ(printed.code, 0);
}

}  // namespace
}  // namespace procsup::ctl
