#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

std::string faults(const std::string& text) {
    const auto result = read_configuration_text(text, "p.toml", FakeSurroundings());
    std::string all;
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        for (const auto& problem : *problems) all += to_text(problem) + "\n";
    }
    return all;
}

TEST(References, BindADaemonToAJob) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\non_parent_restart = 'keep'\n"),
              "");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ninstances = ['eu', 'us']\n"
                     "[jobs.b]\nshell = 'x'\ninstances = ['eu', 'us']\ndaemon_of = 'a'\n"),
              "");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ninstances = 3\ndaemon_of = 'a'\n"), "");
}

TEST(References, AreTakenOver) {
    const auto result = read_configuration_text(
        "[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\non_parent_restart = 'keep'\n", "p.toml",
        FakeSurroundings());
    const auto* configuration = std::get_if<Configuration>(&result);
    ASSERT_NE(configuration, nullptr);
    EXPECT_EQ(configuration->jobs[1].daemon_of, "a");
    EXPECT_EQ(configuration->jobs[1].on_parent_restart, OnParentRestart::Keep);
    EXPECT_NE(to_toml(configuration->jobs[1]).find("daemon_of = \"a\"\non_parent_restart = \"keep\"\n"),
              std::string::npos);
}

TEST(References, NameAJobThatExists) {
    EXPECT_EQ(faults("[jobs.printer]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'pinter'\n"),
              "p.toml:5:1: error: 'daemon_of' names 'pinter', which is no job (did you mean 'printer'?)\n");
}

TEST(References, DoNotGoRoundInCircles) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ndaemon_of = 'b'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\n"),
              "p.toml:3:1: error: 'daemon_of' goes round in a circle: a, b, a\n"
              "p.toml:6:1: error: 'daemon_of' goes round in a circle: b, a, b\n");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ndaemon_of = 'a'\n"),
              "p.toml:3:1: error: 'daemon_of' goes round in a circle: a, a\n");
}

TEST(References, FitTheInstances) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ninstances = 3\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\n"),
              "p.toml:6:1: error: 'daemon_of' names 'a', which has several instances: give this job the same "
              "'instances'\n");
}

TEST(References, AreNothingToSayHowToRestartWithout) {
    EXPECT_NE(faults("[jobs.a]\nshell = 'x'\non_parent_restart = 'stop'\n").find("there is no 'daemon_of'"),
              std::string::npos);
}

}  // namespace
}  // namespace procsup
