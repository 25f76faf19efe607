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

TEST(Completion, OffersVerbsThatBeginSo) {
    EXPECT_THAT(candidates({"re"}).words, ElementsAre("restart", "reload", "resume", "reset"));
    EXPECT_THAT(candidates({""}).words, Contains("status"));
    EXPECT_THAT(candidates({""}).words, Not(Contains("__man")));
}

TEST(Completion, OffersTheSecondWordOfAVerb) {
    EXPECT_THAT(candidates({"dae"}).words, ElementsAre("daemon"));
    EXPECT_THAT(candidates({"daemon", ""}).words, ElementsAre("status"));
}

TEST(Completion, OffersJobsAndTheSecondWordBehindAVerbThatHasBoth) {
    EXPECT_THAT(candidates({"logs", "r"}).words, ElementsAre("rotate"));
    EXPECT_TRUE(candidates({"logs", "r"}).jobs);
    EXPECT_THAT(candidates({"logs", "rotate", ""}).words, IsEmpty());
    EXPECT_THAT(candidates({"logs", "--output", ""}).words, ElementsAre("short", "json", "cat", "raw"));
    EXPECT_THAT(candidates({"logs", "web", "r"}).words, IsEmpty());
}

TEST(Completion, OffersOptionsOfTheVerbOnly) {
    EXPECT_THAT(candidates({"wait", "--f"}).words, ElementsAre("--for="));
    EXPECT_THAT(candidates({"status", "--f"}).words, IsEmpty());
}

TEST(Completion, OffersTheChoicesOfAnOption) {
    EXPECT_THAT(candidates({"wait", "--for="}).words, ElementsAre("--for=ready", "--for=stopped", "--for=exit"));
    EXPECT_THAT(candidates({"--color", "al"}).words, ElementsAre("always"));
}

TEST(Completion, KnowsWhereJobsFilesAndCommandsStand) {
    EXPECT_TRUE(candidates({"start", ""}).jobs);
    EXPECT_TRUE(candidates({"--socket", "x", "why", ""}).jobs);
    EXPECT_FALSE(candidates({"why", "web", ""}).jobs);
    EXPECT_FALSE(candidates({"signal", ""}).jobs);
    EXPECT_TRUE(candidates({"signal", "HUP", ""}).jobs);
    EXPECT_TRUE(candidates({"up", ""}).files);
    EXPECT_TRUE(candidates({"run", "--", ""}).commands);
    EXPECT_TRUE(candidates({"run", "--", "ls", ""}).files);
}

TEST(Completion, OffersSignalsInTheSpellingThatWasBegun) {
    EXPECT_THAT(candidates({"signal", "HU"}).words, ElementsAre("HUP"));
    EXPECT_THAT(candidates({"signal", "SIGHU"}).words, ElementsAre("SIGHUP"));
}

TEST(Completion, PrintsJobsAndInstancesOfTheSupervisor) {
    FakeDaemon daemon("io.procsupd.Manager.Status",
                      R"({"daemon":{},"instances":[{"name":"web@1","job":"web"},{"name":"db","job":"db"}]})");
    const auto printed = run_procsupctl({"__complete", "--socket", daemon.socket(), "start", "w"});
    EXPECT_EQ(printed.out, "web\nweb@1\n");
    EXPECT_EQ(printed.code, 0);
}

TEST(Completion, IsSilentWithoutASupervisor) {
    const auto printed = run_procsupctl({"__complete", "start", ""});
    EXPECT_EQ(printed.out + printed.err, "");
    EXPECT_EQ(printed.code, 0);
}

}  // namespace
}  // namespace procsup::ctl
