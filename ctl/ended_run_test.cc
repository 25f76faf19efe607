#include "ctl/ended_run.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

using namespace std::chrono_literals;

EndedRun run(Duration cpu, std::int64_t orphans = 0, Duration orphans_cpu = {}) {
    return {4711, 0, 0, cpu, orphans, orphans_cpu};
}

TEST(EndedRun, TellsCpuTimeInTheUnitThatFits) {
    EXPECT_EQ(span_text(0us), "0s");
    EXPECT_EQ(span_text(340us), "340us");
    EXPECT_EQ(span_text(203400us), "203ms");
    EXPECT_EQ(span_text(1340ms), "1.3s");
    EXPECT_EQ(span_text(90s), "1min 30s");
}

TEST(EndedRun, TellsOfOrphansOnlyWhenThereWereSome) {
    EXPECT_EQ(took_text(run(203ms)), "pid 4711, 203ms of CPU");
    EXPECT_EQ(took_text(run(203ms, 1, 2ms)), "pid 4711, 203ms of CPU, and 1 orphan, 2ms of CPU");
    EXPECT_EQ(took_text(run(203ms, 12, 310ms)), "pid 4711, 203ms of CPU, and 12 orphans, 310ms of CPU");
}

TEST(EndedRun, TellsOfItsFirstProcessWhereAnotherBecameTheMainOne) {
    auto one = run(203ms, 1, 2ms);
    one.former_mains = 1;
    one.former_mains_cpu = 3ms;
    EXPECT_EQ(took_text(one), "pid 4711, 203ms of CPU, and its first process, 3ms of CPU, and 1 orphan, 2ms of CPU");
    one.former_mains = 2;
    EXPECT_EQ(took_text(one),
              "pid 4711, 203ms of CPU, and 2 main processes before it, 3ms of CPU, and 1 orphan, 2ms of CPU");
}

TEST(EndedRun, IsNotThereWhenTheMemberIsNull) {
    const auto value = json::parse(R"({"run":null,"lastRun":{"pid":3,"cpuUSec":7}})");
    ASSERT_TRUE(value);
    EXPECT_FALSE(EndedRun::of(*value, "run"));
    EXPECT_FALSE(EndedRun::of(*value, "nothing"));
    ASSERT_TRUE(EndedRun::of(*value, "lastRun"));
    EXPECT_EQ(EndedRun::of(*value, "lastRun")->cpu, 7us);
}

}  // namespace
}  // namespace procsup::ctl
