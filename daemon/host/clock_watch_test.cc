#include "daemon/host/clock_watch.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

TEST(ClockWatch, ReadsWhatTheWallClockShows) {
    const auto clocks = read_clocks();
    const auto steady = std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
    const auto wall = std::chrono::system_clock::now();
    EXPECT_LT(std::chrono::abs(clocks.wall_at(steady) - wall), std::chrono::minutes(1));
    EXPECT_GE(clocks.slept + std::chrono::milliseconds(1), Duration::zero());
}

}  // namespace
}  // namespace procsup
