#include <gmock/gmock.h>

#include "conf/job_difference.h"
#include "conf/load.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using ::testing::HasSubstr;

std::variant<Configuration, std::vector<Problem>> read(const std::string& groups, const std::string& more = {}) {
    const std::string jobs =
        "[jobs.a]\ncommand = '/bin/a'\n[jobs.b]\ncommand = '/bin/b'\n[jobs.c]\ncommand = '/bin/c'\n";
    return read_configuration_text(groups + jobs + more, "procsup.toml", FakeSurroundings());
}

std::string faults(const std::string& groups, const std::string& more = {}) {
    const auto result = read(groups, more);
    std::string all;
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        for (const auto& problem : *problems) all += to_text(problem) + "\n";
    }
    return all;
}

std::vector<JobSpec> jobs_of(const std::string& groups) {
    const auto result = read(groups);
    const auto* configuration = std::get_if<Configuration>(&result);
    if (configuration != nullptr) return configuration->jobs;
    ADD_FAILURE() << faults(groups);
    return std::vector<JobSpec>(3);
}

TEST(Groups, SayInEachMemberWhatTheyHaveToDoWithIt) {
    const auto jobs = jobs_of(
        "[groups.web]\nmembers = ['c', 'a']\nstrategy = 'rest-for-one'\nintensity = '3/10s'\non_exhausted = "
        "'shutdown'\n");
    const Membership first{
        "web", 0, Membership::Strategy::RestForOne, {3, std::chrono::seconds(10)}, Membership::OnExhausted::Shutdown};
    EXPECT_EQ(jobs[2].membership, first);
    EXPECT_EQ(jobs[0].membership.position, 1u);
    EXPECT_EQ(jobs[1].membership, Membership());
}

TEST(Groups, GoWithTheJobsToTheDaemon) {
    auto read_jobs = read("[groups.web]\nmembers = ['c', 'a']\nintensity = 'none'\n");
    const auto decoded = decode_load_result(encode_load_result(read_jobs));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(std::get<Configuration>(*decoded).jobs, std::get<Configuration>(read_jobs).jobs);
}

TEST(Groups, ThatChangeNeedNoRestart) {
    const auto before = jobs_of("[groups.web]\nmembers = ['a', 'b']\n");
    const auto now = jobs_of("[groups.shop]\nmembers = ['a', 'b']\n");
    const auto change = difference(before[0], now[0]);
    EXPECT_FALSE(change.needs_restart());
    EXPECT_THAT(change.live, ::testing::ElementsAre("groups.web", "groups.shop"));
}

TEST(Groups, ThatCannotBeAreRefusedWithTheirPlace) {
    EXPECT_EQ(faults("[groups.web]\nmembers = ['a', 'd']\n"),
              "procsup.toml:2:17: error: 'members' names 'd', which is no job\n");
    EXPECT_EQ(faults("[groups.web]\nmembers = ['a', 'b', 'a']\n"),
              "procsup.toml:2:22: error: 'members' names 'a' twice\n");
    EXPECT_EQ(faults("[groups.web]\nstrategy = 'one-for-all'\n"),
              "procsup.toml:1:9: error: group 'web' has no members: write members = [\"…\"]\n");
    EXPECT_EQ(faults("[groups.web]\nmembers = []\n"),
              "procsup.toml:2:11: error: 'members' must name at least one job\n");
    EXPECT_EQ(faults("[groups.a]\nmembers = ['b']\n"),
              "procsup.toml:1:9: error: a job is called 'a' too: a group and a job need different names\n");
    EXPECT_EQ(
        faults("[groups.one]\nmembers = ['b']\n[groups.two]\nmembers = ['c', 'b']\n"),
        "procsup.toml:4:17: error: 'members' names 'b', which is in the group 'one' already: a job is in one group at "
        "most\n");
    EXPECT_EQ(faults("[groups.web]\nmembers = ['a']\nintensity = 'none'\non_exhausted = 'shutdown'\n"),
              "procsup.toml:4:16: error: 'on_exhausted' never takes effect: intensity = \"none\"\n");
    EXPECT_THAT(faults("[groups.web]\nmembers = ['a']\nstrategy = 'all'\n"),
                HasSubstr("procsup.toml:3:12: error: 'strategy' must be"));
    EXPECT_THAT(faults("[groups.web]\nmember = ['a']\nmembers = ['a']\n"),
                HasSubstr("procsup.toml:2:1: error: unknown key 'member' in [groups.NAME] (did you mean 'members'?)"));
    EXPECT_THAT(faults("[groups]\nmembers = ['a']\n"), HasSubstr("'members' must be a table"));
    EXPECT_THAT(faults("[groups.'we b']\nmembers = ['a']\n"), HasSubstr("'we b' cannot name a group"));
}

TEST(Groups, WhoseOrderContradictsDependenciesAreACircle) {
    const auto text = faults("[groups.web]\nmembers = ['a', 'b']\nstrategy = 'one-for-all'\n",
                             "[jobs.d]\ncommand = '/bin/d'\nafter = ['b']\nbefore = ['a']\n");
    EXPECT_THAT(text, HasSubstr("goes round in a circle: "));
    EXPECT_THAT(text, HasSubstr("b waits for a (members, procsup.toml:2)"));
    EXPECT_EQ(
        faults("[groups.web]\nmembers = ['a', 'b']\n", "[jobs.d]\ncommand = '/bin/d'\nafter = ['b']\nbefore = ['a']\n"),
        "")
        << "members of one-for-one have no order";
}

}  // namespace
}  // namespace procsup
