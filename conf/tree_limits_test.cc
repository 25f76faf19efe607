#include "conf/tree_limits.h"

#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using testing::job_with;
using testing::problems_of;

struct Written {
    const char* line;
    const char* toml;
    const char* kernel;
};

TEST(TreeLimits, AreWrittenAsTheKernelWantsThem) {
    const std::vector<Written> cases{
        {"memory_max = '64MiB'", "\"64MiB\"", "67108864"},
        {"memory_max = 'unlimited'", "\"unlimited\"", "max"},
        {"memory_high = '1B'", "\"1B\"", "1"},
        {"cpu = 1.5", "1.5", "150000 100000"},
        {"cpu = 2", "2.0", "200000 100000"},
        {"cpu = 0.01", "0.01", "1000 100000"},
        {"cpu = 0.33333", "0.33333", "33333 100000"},
        {"cpu = 'unlimited'", "\"unlimited\"", "max 100000"},
        {"cpu_weight = 10000", "10000", "10000"},
        {"tasks_max = 1", "1", "1"},
        {"tasks_max = 'unlimited'", "\"unlimited\"", "max"},
        {"io_weight = 50", "50", "default 50"},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.line);
        const auto job = job_with("[limits]\n" + std::string(one.line) + "\n");
        ASSERT_EQ(job.tree_limits.size(), 1u);
        EXPECT_EQ(tree_limit_toml(job.tree_limits[0]), one.toml);
        EXPECT_EQ(kernel_text(job.tree_limits[0]), one.kernel);
    }
}

struct Bad {
    const char* line;
    const char* message;
};

TEST(TreeLimits, InAnyBadFormAreRefusedWithWhatWouldBeGood) {
    const std::vector<Bad> cases{
        {"memory_max = 64", "not an integer: write \"64B\" for bytes"},
        {"memory_max = '64'", "\"64\" has no unit: write \"64B\" for bytes"},
        {"memory_max = '0B'", "'limits.memory_max' must be more than 0"},
        {"memory_max = 'none'", "must be a size such as \"512MiB\", or \"unlimited\", not 'none'"},
        {"memory_high = '1MiB:2MiB'", "limits.memory_high"},
        {"cpu = '50%'", "write it without quotes, or \"unlimited\""},
        {"cpu = 0", "must be a number of processors from 0.01 on such as 1.5, or \"unlimited\""},
        {"cpu = 0.009", "must be a number of processors from 0.01 on such as 1.5, or \"unlimited\""},
        {"cpu = 8193", "must be a number of processors"},
        {"cpu = -1", "must be a number of processors from 0.01 on such as 1.5, or \"unlimited\""},
        {"cpu = nan", "must be a number of processors from 0.01 on such as 1.5, or \"unlimited\""},
        {"cpu = true", "not a boolean"},
        {"cpu_weight = 0", "must be an integer from 1 to 10000, not 0"},
        {"cpu_weight = 10001", "not 10001"},
        {"cpu_weight = 'idle'", "not a string"},
        {"tasks_max = 0", "not 0"},
        {"tasks_max = '5'", "write it without quotes, or \"unlimited\""},
        {"tasks_max = 2147483648", "not 2147483648"},
        {"io_weight = '50'", "not a string"},
        {"memory_max = '1MiB'\nmemory_high = '2MiB'",
         "'limits.memory_high' never takes effect: 'limits.memory_max' is \"1MiB\""},
    };
    for (const auto& bad : cases) {
        SCOPED_TRACE(bad.line);
        const auto problems = problems_of("command = \"/bin/web\"\n[limits]\n" + std::string(bad.line) + "\n");
        ASSERT_EQ(problems.size(), 1u);
        EXPECT_NE(problems[0].find(bad.message), std::string::npos) << problems[0];
    }
}

TEST(TreeLimits, AreShownBesideTheOthers) {
    const auto job = job_with(
        "[limits]\nopen_files = 5\nio_weight = 7\nmemory_max = '1KiB'\ncpu = 0.5\ntasks_max = 'unlimited'\n"
        "strict = true\n");
    json::Writer writer;
    write_json(writer, job);
    EXPECT_NE(writer.text().find(
                  R"("limits":{"open_files":5,"memory_max":1024,"cpu":0.5,"tasks_max":"unlimited","io_weight":7})"),
              std::string::npos)
        << writer.text();
    EXPECT_NE(to_toml(job).find("[limits]\nopen_files = 5\nmemory_max = \"1KiB\"\ncpu = 0.5\n"
                                "tasks_max = \"unlimited\"\nio_weight = 7\nstrict = true\n"),
              std::string::npos)
        << to_toml(job);
}

TEST(TreeLimits, NeedOnlyTheControllersOfWhatIsLimited) {
    EXPECT_EQ(controllers_for(job_with("[limits]\ntasks_max = 5\nmemory_max = 'unlimited'\nopen_files = 5\n")),
              bit_of(Controller::Pids));
    EXPECT_EQ(controllers_for(job_with("[limits]\nmemory_high = '1MiB'\ncpu_weight = 5\nio_weight = 1\n")),
              bit_of(Controller::Memory) | bit_of(Controller::Cpu) | bit_of(Controller::Io));
}

}  // namespace
}  // namespace procsup
