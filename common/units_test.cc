#include "common/units.h"

#include <gtest/gtest.h>

#include <string>

namespace procsup {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(ParseDuration, ReadsOneOrMoreNumbersWithUnits) {
    EXPECT_EQ(*parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(*parse_duration("1min30s"), seconds(90));
    EXPECT_EQ(*parse_duration("2h"), hours(2));
    EXPECT_EQ(*parse_duration("1.5s"), milliseconds(1500));
    EXPECT_EQ(*parse_duration("1d2h3min4s5ms6us"),
              hours(26) + minutes(3) + seconds(4) + milliseconds(5) + microseconds(6));
    EXPECT_EQ(*parse_duration("0s"), seconds(0));
}

TEST(ParseDuration, SaysWhatToWriteWhenTheUnitIsMissing) {
    const auto result = parse_duration("30");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "\"30\" has no unit: write \"30s\" for seconds");
    EXPECT_EQ(parse_duration("1 s").error().message.find("\"1 s\" is not a duration: "), 0u);
    EXPECT_NE(parse_duration("1min30").error().message.find("\"1min30s\""), std::string::npos);
}

TEST(ParseDuration, RefusesEverythingElse) {
    for (const auto* text : {"", "s", "-1s", "+1s", "1 s", " 1s", "1s ", "1x", "1S", "30s1min", "1s1s", "1..5s", ".",
                             "1e3s", "infs", "nans", "0x10s", "1.s.", "none"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(ParseDuration, RefusesMoreThanAHundredYears) {
    EXPECT_TRUE(parse_duration("36500d"));
    EXPECT_FALSE(parse_duration("36501d"));
    EXPECT_FALSE(parse_duration("99999999999999999999999999s"));
    EXPECT_FALSE(parse_duration(std::string(500, '9') + "s"));
}

TEST(ParseSize, ReadsBothFamiliesOfUnits) {
    EXPECT_EQ(*parse_size("0B"), 0u);
    EXPECT_EQ(*parse_size("512MiB"), 512ull << 20);
    EXPECT_EQ(*parse_size("1GB"), 1000000000u);
    EXPECT_EQ(*parse_size("1.5KiB"), 1536u);
}

TEST(ParseSize, SaysWhatToWriteWhenTheUnitIsMissing) {
    const auto result = parse_size("512");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "\"512\" has no unit: write \"512B\" for bytes");
}

TEST(ParseSize, RefusesEverythingElse) {
    for (const auto* text : {"", "MiB", "-1B", "1 MiB", "1M", "1mib", "1MiB2KiB", "1MiB ", "9000000TiB"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(DurationText, ShowsTheTwoLargestUnits) {
    EXPECT_EQ(to_text(seconds(0)), "0s");
    EXPECT_EQ(to_text(microseconds(7)), "7us");
    EXPECT_EQ(to_text(milliseconds(500)), "500ms");
    EXPECT_EQ(to_text(milliseconds(12345)), "12s");
    EXPECT_EQ(to_text(seconds(90)), "1min 30s");
    EXPECT_EQ(to_text(minutes(131)), "2h 11min");
    EXPECT_EQ(to_text(hours(76)), "3d 4h");
    EXPECT_EQ(to_text(hours(1) + seconds(5)), "1h");
    EXPECT_EQ(to_text(kForever), "none");
}

}  // namespace
}  // namespace procsup
