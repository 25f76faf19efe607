#include "ctl/logs/time_spec.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

namespace procsup::ctl {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kNow = 1772532662 * kSecond;  // 2026-03-03 10:11:02 UTC

struct TimeSpec : testing::Test {
    TimeSpec() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
    static std::int64_t seconds_ago(std::string_view text) {
        const auto time = parse_time(text, kNow);
        EXPECT_TRUE(time) << text;
        return time ? (kNow - *time) / kSecond : -1;
    }
};

TEST_F(TimeSpec, CountsBackFromNow) {
    EXPECT_EQ(seconds_ago("now"), 0);
    EXPECT_EQ(seconds_ago("10min"), 600);
    EXPECT_EQ(seconds_ago("1h30min ago"), 5400);
}

TEST_F(TimeSpec, KnowsTheClockAndTheCalendar) {
    EXPECT_EQ(seconds_ago("10:11"), 2);
    EXPECT_EQ(seconds_ago("10:11:01"), 1);
    EXPECT_EQ(seconds_ago("2026-03-03 10:00"), 662);
    EXPECT_EQ(seconds_ago("2026-03-02"), 86400 + 36662);
    EXPECT_EQ(seconds_ago("today"), 36662);
    EXPECT_EQ(seconds_ago("yesterday"), 86400 + 36662);
    EXPECT_EQ(seconds_ago("@1772532660"), 2);
}

TEST_F(TimeSpec, KnowsFractionsAndUtc) {
    EXPECT_EQ(*parse_time("2026-03-03T10:11:02.5Z", kNow), kNow + 500'000);
    EXPECT_EQ(*parse_time("@1772532662.000001", kNow), kNow + 1);
    ::setenv("TZ", "UTC-1", 1);
    ::tzset();
    EXPECT_EQ(*parse_time("2026-03-03T10:11:02Z", kNow), kNow);
    EXPECT_EQ(*parse_time("2026-03-03 11:11:02", kNow), kNow);
}

TEST_F(TimeSpec, RefusesWhatIsNoTime) {
    for (const char* text : {"", "10", "lunch", "25:00", "10:60", "2026-13-01", "2026-06-31", "2026-03-03 10", "@",
                             "@x", "@1.", "10:11Z", "2026-03-03x", "-5min"}) {
        EXPECT_FALSE(parse_time(text, kNow)) << text;
    }
}

}  // namespace
}  // namespace procsup::ctl
