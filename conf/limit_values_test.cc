#include <gtest/gtest.h>

#include "conf/cpu_list.h"
#include "conf/job_text.h"
#include "conf/reading.h"
#include "conf/resource_limits.h"

namespace procsup {
namespace {

using testing::job_with;
using testing::problems_of;

struct BadLimit {
    const char* line;
    const char* message;
};

void expect_refused(const std::vector<BadLimit>& cases) {
    for (const auto& bad : cases) {
        SCOPED_TRACE(bad.line);
        const auto problems = problems_of("command = \"/bin/web\"\n[limits]\n" + std::string(bad.line) + "\n");
        ASSERT_EQ(problems.size(), 1u);
        EXPECT_TRUE(problems[0].starts_with("3:")) << problems[0];
        EXPECT_NE(problems[0].find(bad.message), std::string::npos) << problems[0];
    }
}

TEST(ResourceLimits, InAnyBadFormAreRefusedWithWhatWouldBeGood) {
    expect_refused({
        {"open_files = '1024'", "not a string: write it without quotes"},
        {"open_files = 'infinity'", "not 'infinity' (did you mean 'unlimited'?)"},
        {"open_files = '1:infinity'", "not 'infinity' (did you mean 'unlimited'?)"},
        {"core = 'infinity'", "not 'infinity' (did you mean 'unlimited'?)"},
        {"cpu_time = 'none'", "not 'none' (did you mean 'unlimited'?)"},
        {"open_files = '2048:1024'", "'limits.open_files' has a soft limit above the hard one: write \"SOFT:HARD\""},
        {"open_files = 'unlimited:5'", "has a soft limit above the hard one"},
        {"open_files = '1:2:3'", "must be an integer from 0 on, or \"unlimited\", not '2:3'"},
        {"open_files = ':5'", "not ''"},
        {"open_files = '5:'", "not ''"},
        {"open_files = '1:-2'", "not '-2'"},
        {"open_files = 1.5", "not a number"},
        {"open_files = true", "not a boolean"},
        {"stack = '1MiB:8'", "\"8\" has no unit: write \"8B\" for bytes"},
        {"stack = 8", "not an integer: write \"8B\" for bytes"},
        {"stack = true", "not a boolean"},
        {"cpu_time = 5", "not an integer: write \"5s\""},
        {"cpu_time = '5'", "\"5\" has no unit: write \"5s\" for seconds"},
        {"cpu_time = '1500ms'", "must be a duration of whole seconds such as \"1h\", or \"unlimited\", not '1500ms'"},
        {"cpu_time = '0s'", "must be longer than 0"},
        {"realtime_time = '0us'", "must be longer than 0"},
        {"realtime_time = ['1s']", "not an array"},
        {"nice_limit = 20", "must be an integer from -20 to 19, or \"unlimited\", not 20"},
        {"nice_limit = -21", "not -21"},
        {"nice_limit = '-5:5'", "has a soft limit above the hard one"},
        {"realtime_priority = 100", "must be an integer from 0 to 99, or \"unlimited\", not 100"},
        {"realtime_priority = '1:100'", "not '100'"},
    });
}

TEST(ResourceLimits, ThatLinuxDoesNotEnforceHaveNoKeyButAHint) {
    expect_refused({
        {"rss = '1GiB'",
         "there is no key 'rss': Linux has not enforced RLIMIT_RSS since 2.4.30: write 'address_space'"},
        {"locks = 5", "there is no key 'locks': Linux has not enforced RLIMIT_LOCKS since 2.4.25"},
    });
}

TEST(SchedulingValue, InAnyBadFormIsRefused) {
    expect_refused({
        {"scheduling = 'fifo'", "\"fifo:1\" to \"fifo:99\" and \"rr:1\" to \"rr:99\", not 'fifo'"},
        {"scheduling = 'fifo:0'", "not 'fifo:0'"},
        {"scheduling = 'rr:100'", "not 'rr:100'"},
        {"scheduling = 'rr:'", "not 'rr:'"},
        {"scheduling = 'rr:1 '", "not 'rr:1 '"},
        {"scheduling = 'batch:1'", "not 'batch:1'"},
        {"scheduling = 'bach'", "(did you mean 'batch'?)"},
        {"scheduling = 5", "not an integer"},
    });
}

TEST(IoPriorityValue, InAnyBadFormIsRefused) {
    expect_refused({
        {"io_priority = 'best-effort'", "\"best-effort:0\" to \"best-effort:7\" and \"idle\", not 'best-effort'"},
        {"io_priority = 'best-effort:8'", "not 'best-effort:8'"},
        {"io_priority = 'realtime:-1'", "not 'realtime:-1'"},
        {"io_priority = 'idle:0'", "not 'idle:0'"},
        {"io_priority = 'besteffort:0'", "(did you mean 'best-effort'?)"},
        {"io_priority = 4", "not an integer"},
    });
}

TEST(CpuAffinityValue, InAnyBadFormIsRefused) {
    expect_refused({
        {"cpu_affinity = []", "must have at least one CPU"},
        {"cpu_affinity = ''", "'' is neither a CPU from 0 to 8191 nor a range such as \"0-3\""},
        {"cpu_affinity = '1,'", "'' is neither"},
        {"cpu_affinity = '3-1'", "the range '3-1' ends before it begins"},
        {"cpu_affinity = '1-2-3'", "'1-2-3' is neither"},
        {"cpu_affinity = '8192'", "'8192' is neither"},
        {"cpu_affinity = ' 1'", "' 1' is neither"},
        {"cpu_affinity = [0, 8192]", "must have CPUs from 0 to 8191, not 8192"},
        {"cpu_affinity = [-1]", "not -1"},
        {"cpu_affinity = ['1']", "write numbers without quotes"},
        {"cpu_affinity = 3", "not an integer: write [3]"},
    });
}

TEST(Limits, ThatNeverTakeEffectAreRefused) {
    expect_refused({
        {"nice = 5\nscheduling = 'rr:3'", "'limits.nice' never takes effect: 'limits.scheduling' is \"rr:3\""},
        {"nice = 5\nscheduling = 'idle'", "'limits.nice' never takes effect"},
    });
    EXPECT_EQ(job_with("[limits]\nnice = 5\nscheduling = 'batch'\n").nice, 5);
}

TEST(CpuList, IsAsShortAsItCanBe) {
    EXPECT_EQ(cpu_list_text(std::vector{0, 1, 2, 3, 6}), "0-3,6");
    EXPECT_EQ(cpu_list_text(std::vector{4}), "4");
    EXPECT_EQ(cpu_list_text(std::vector<int>{}), "");
    EXPECT_EQ(cpu_list_text(*parse_cpu_list("6,0-3,2")), "0-3,6");
}

TEST(ResourceLimits, AreShownInTheirOwnUnits) {
    EXPECT_EQ(limit_toml({RLIMIT_NOFILE, 5}), "5");
    EXPECT_EQ(limit_toml({RLIMIT_NOFILE, 5, RLIM_INFINITY}), "\"5:unlimited\"");
    EXPECT_EQ(limit_toml({RLIMIT_STACK, 8u << 20}), "\"8MiB\"");
    EXPECT_EQ(limit_toml({RLIMIT_CPU, 90}), "\"1min30s\"");
    EXPECT_EQ(limit_toml({RLIMIT_NICE, 25}), "-5");
    EXPECT_EQ(limit_toml({RLIMIT_NICE, 0, 40}), "\"19:-20\"");
}

TEST(ResourceLimits, AreNumbersOrPairsInJson) {
    json::Writer writer;
    write_json(writer, job_with("[limits]\nopen_files = '1:2'\ncpu_time = '1min'\nnice_limit = '5:-5'\ncore = "
                                "'unlimited'\nscheduling = 'rr:2'\nio_priority = 'idle'\ncpu_affinity = [1, 0]\n"));
    EXPECT_NE(writer.text().find(R"("limits":{"cpu_time":60,"core":"unlimited","open_files":{"soft":1,"hard":2},)"
                                 R"("nice_limit":{"soft":5,"hard":-5}})"),
              std::string::npos)
        << writer.text();
    EXPECT_NE(writer.text().find(R"("scheduling":"rr:2","ioPriority":"idle","cpuAffinity":"0-1")"), std::string::npos)
        << writer.text();
}

}  // namespace
}  // namespace procsup
