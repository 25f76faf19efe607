#include "daemon/host/wall_clock.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kMonotonic(100s);
constexpr WallTime kWall(1'000'000s);

TEST(WallClock, TellsOneTimeOfAMomentThoughItsClocksAreReadApart) {
    WallClock clock;
    const auto first = clock.at(TimePoint(40s), kMonotonic, kWall);
    EXPECT_EQ(first, kWall - 60s);
    EXPECT_EQ(clock.at(TimePoint(40s), kMonotonic + 5s, kWall + 5s + 3us), first);
    EXPECT_EQ(clock.at(TimePoint(40s), kMonotonic + 9s, kWall + 9s - 1ms), first);
}

TEST(WallClock, FollowsATimeOfDayThatWasSet) {
    WallClock clock;
    clock.at(kMonotonic, kMonotonic, kWall);
    EXPECT_EQ(clock.at(kMonotonic, kMonotonic, kWall + 2ms), kWall + 2ms);
    EXPECT_EQ(clock.at(kMonotonic, kMonotonic + 1s, kWall - 24h * 3650), kWall - 24h * 3650 - 1s);
}

}  // namespace
}  // namespace procsup
