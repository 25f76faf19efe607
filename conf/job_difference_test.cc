#include "conf/job_difference.h"

#include <gmock/gmock.h>

#include "conf/reading.h"

namespace procsup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::job_with;

TEST(JobDifference, OfTheSameTextAtAnotherPlaceIsNone) {
    auto before = job_with("");
    auto now = job_with("\n\n");
    now.origin = "elsewhere:9";
    now.manually_stopped = true;
    EXPECT_TRUE(difference(before, now).empty());
}

TEST(JobDifference, TellsLiveKeysFromThoseOfAStart) {
    const auto changed = difference(job_with("stop_timeout = '5s'\numask = '0077'"),
                                    job_with("stop_timeout = '6s'\ntags = ['a']\nenv = { PORT = '1' }"));
    EXPECT_THAT(changed.live, ElementsAre("stop_timeout", "tags"));
    EXPECT_THAT(changed.at_start, ElementsAre("umask", "env.PORT"));
    EXPECT_TRUE(changed.needs_restart());
    EXPECT_FALSE(difference(job_with(""), job_with("restart = 'no'")).needs_restart());
}

TEST(JobDifference, NamesTheTableOfAKey) {
    const auto changed = difference(job_with("[log]\nmax_size = '1MiB'\n[limits]\nnice = 1\nstrict = true"),
                                    job_with("[sandbox]\nstrict = true\nprivate_tmp = true"));
    EXPECT_THAT(changed.at_start,
                ElementsAre("limits.nice", "limits.strict", "log.max_size", "sandbox.private_tmp", "sandbox.strict"));
    EXPECT_THAT(difference(job_with("[credentials]\ntls = '/a'"), job_with("")).at_start,
                ElementsAre("credentials.tls"));
}

TEST(JobDifference, SaysNothingOfWhatHasNoEffect) {
    EXPECT_TRUE(difference(job_with("[log]\nstdout = 'null'\nstderr = 'null'"),
                           job_with("[log]\nstdout = 'null'\nstderr = 'null'\n"))
                    .empty());
}

TEST(JobDifference, IsInVariablesWhenAFileOfThemHasChanged) {
    FakeSurroundings before, now;
    before.files["/etc/web.env"] = "PORT=1\nSAME=x\n";
    now.files["/etc/web.env"] = "PORT=2\nSAME=x\n";
    const std::string lines = "env_files = ['/etc/web.env']";
    EXPECT_THAT(difference(job_with(lines, before), job_with(lines, now)).at_start, ElementsAre("env.PORT"));
}

TEST(JobDifference, IsInTheUserWhenANameStandsForAnotherNumber) {
    FakeSurroundings now;
    now.users[1].uid = 34;
    const auto changed = difference(job_with("user = 'www-data'"), job_with("user = 'www-data'", now));
    EXPECT_THAT(changed.at_start, ElementsAre("user"));
}

TEST(JobDifference, IsInTheCommandWhenItsProgramIsAnotherOne) {
    auto before = job_with("stop_command = ['/bin/end']"), now = before;
    now.program = "/opt/web";
    now.stop_command.program = "/opt/end";
    EXPECT_THAT(difference(before, now).at_start, ElementsAre("command"));
    EXPECT_THAT(difference(before, now).live, ElementsAre("stop_command"));
}

TEST(JobDifference, IsInTheInputWhenAnotherJobBeginsToWriteToIt) {
    auto before = job_with(""), now = before;
    now.stdin_stream = {Stream::Kind::Pipe, {}};
    EXPECT_THAT(difference(before, now).at_start, ElementsAre("log.stdin"));
}

TEST(JobDifference, OfHowLongToWaitForReadinessIsLive) {
    const auto before = job_with("[ready]\ntcp = 80\ntimeout = '5s'");
    EXPECT_FALSE(difference(before, job_with("[ready]\ntcp = 80\ntimeout = '9s'\ninterval = '1s'")).needs_restart());
    EXPECT_THAT(difference(before, job_with("[ready]\ntcp = 81\ntimeout = '5s'")).at_start, ElementsAre("ready.tcp"));
    EXPECT_THAT(difference(before, job_with("")).at_start, ElementsAre("ready.tcp"));
    EXPECT_THAT(difference(before, job_with("")).live, ElementsAre("ready.timeout"));
}

TEST(JobDifference, IsOnlyInTheInstancesWhenThereAreMore) {
    const auto changed = difference(job_with("instances = 2"), job_with("instances = 3"));
    EXPECT_THAT(changed.live, ElementsAre("instances"));
    EXPECT_THAT(changed.at_start, IsEmpty());
}

}  // namespace
}  // namespace procsup
