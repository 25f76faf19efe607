#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

using namespace procsup::testing;

namespace procsup {
namespace {

using Lines = std::vector<std::string>;

Lines problems_with(const std::string& lines, const FakeSurroundings& surroundings = FakeSurroundings()) {
    return problems_of("command = \"/bin/web\"\n" + lines, surroundings);
}

TEST(Privileges, AWordThatIsNoCapabilityGetsAHint) {
    EXPECT_EQ(problems_with("sandbox.capabilities = ['CAP_KIL']"),
              Lines{"2:25: error: 'sandbox.capabilities' has 'CAP_KIL', which is no capability (did you mean "
                    "'CAP_KILL'?)"});
    EXPECT_EQ(problems_with("user = 'www-data'\nsandbox.ambient_capabilities = ['all']"),
              Lines{"3:33: error: 'sandbox.ambient_capabilities' has 'all', which is no capability"});
    EXPECT_EQ(problems_with("sandbox.capabilities = 'CAP_KILL'").size(), 1u);
    EXPECT_EQ(problems_with("sandbox.capabilities = [5]").size(), 1u);
}

TEST(Privileges, WhatIsGivenIsAmongWhatIsLeft) {
    const std::string user = "user = 'www-data'\nsandbox.capabilities = ['kill']\n";
    EXPECT_EQ(problems_with(user + "sandbox.ambient_capabilities = ['kill']"), Lines{});
    EXPECT_EQ(problems_with(user + "sandbox.ambient_capabilities = ['kill', 'chown', 'syslog']"),
              Lines{"4:9: error: 'sandbox.ambient_capabilities' has CAP_CHOWN, CAP_SYSLOG, which "
                    "'sandbox.capabilities' does not have"});
}

TEST(Privileges, RootNeedsNothingGiven) {
    EXPECT_EQ(problems_with("sandbox.ambient_capabilities = ['kill']").size(), 1u);
    EXPECT_EQ(problems_with("user = 'root'\nsandbox.ambient_capabilities = ['kill']").size(), 1u);
    // For those of its jobs that are not root.
    const auto configuration = configuration_of(
        "[defaults]\nsandbox.ambient_capabilities = ['kill']\n[jobs.a]\ncommand = '/bin/a'\n[jobs.b]\ncommand = "
        "'/bin/b'\n"
        "user = 'www-data'\n");
    ASSERT_EQ(configuration.jobs.size(), 2u);
    EXPECT_EQ(configuration.jobs[0].privileges.ambient, 0u);
    EXPECT_EQ(configuration.jobs[1].privileges.ambient, capability_bit(5));
}

TEST(Privileges, WhatCannotBeHadWithoutRootIsAnError) {
    FakeSurroundings surroundings;
    surroundings.uid = surroundings.gid = 33;
    EXPECT_EQ(problems_with("sandbox.capabilities = []", surroundings),
              Lines{"2:9: error: cannot limit capabilities without root"});
    EXPECT_EQ(problems_with("sandbox.ambient_capabilities = ['kill']", surroundings),
              Lines{"2:9: error: cannot give CAP_KILL without root"});
    EXPECT_EQ(problems_with("sandbox.no_new_privileges = true", surroundings), Lines{});
}

TEST(Privileges, WhatRootLacksItselfIsAnError) {
    FakeSurroundings surroundings;
    surroundings.capabilities = capability_bit(5);
    EXPECT_EQ(problems_with("sandbox.capabilities = []", surroundings),
              Lines{"2:9: error: cannot limit capabilities without CAP_SETPCAP, which procsupd does not have"});
    EXPECT_EQ(problems_with("user = 'www-data'\nsandbox.ambient_capabilities = ['kill']", surroundings), Lines{});
    EXPECT_EQ(problems_with("user = 'www-data'\nsandbox.ambient_capabilities = ['chown']", surroundings),
              Lines{"3:9: error: cannot give CAP_CHOWN, which procsupd does not have"});
}

TEST(Privileges, AJobThatMayNotForkGainsNone) {
    EXPECT_TRUE(job_with("may_fork = false").gains_no_privileges(false));
    EXPECT_FALSE(job_with("").gains_no_privileges(false));
    EXPECT_TRUE(job_with("").gains_no_privileges(true));
    EXPECT_FALSE(job_with("sandbox.no_new_privileges = false").gains_no_privileges(true));
    EXPECT_EQ(problems_with("may_fork = false\nsandbox.no_new_privileges = false").size(), 1u);
}

TEST(Privileges, AreReadBackFromTheirText) {
    const auto job = job_with(
        "user = 'www-data'\n[sandbox]\nno_new_privileges = false\ncapabilities = ['kill', 'chown']\n"
        "ambient_capabilities = ['kill']");
    const auto again = job_of(to_toml(job));
    EXPECT_EQ(again.privileges, job.privileges);
    EXPECT_EQ(job_of(to_toml(job_with("sandbox.capabilities = []"))).privileges.capabilities, CapabilitySet{0});
}

}  // namespace
}  // namespace procsup
