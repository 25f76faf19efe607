#include "ctl/text.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

namespace procsup::ctl {
namespace {

using namespace std::chrono_literals;

TEST(Escaped, MakesControlCharactersVisible) { EXPECT_EQ(escaped("a\x1b[31mb\n\t\x7f"), "a\\x1b[31mb\\x0a\\x09\\x7f"); }

TEST(Escaped, KeepsLinesWhenAsked) { EXPECT_EQ(escaped("a\n\tb\r", true), "a\n\tb\\x0d"); }

TEST(Escaped, KeepsUtf8AndShowsBytesThatAreNot) { EXPECT_EQ(escaped("jörg \xff \xc3"), "jörg \\xff \\xc3"); }

TEST(Escaped, ShowsC1ControlsAndDirectionOverrides) {
    EXPECT_EQ(escaped("\xc2\x9b"
                      "31m\xe2\x80\xae"
                      "x"),
              "\\u009b31m\\u202ex");
}

TEST(SnakeCase, MapsTheProtocolsNames) {
    EXPECT_EQ(snake_case("sinceUSec"), "since_usec");
    EXPECT_EQ(snake_case("timeoutUSec"), "timeout_usec");
    EXPECT_EQ(snake_case("loopLagMaxUSec"), "loop_lag_max_usec");
    EXPECT_EQ(snake_case("errnoName"), "errno_name");
    EXPECT_EQ(snake_case("exitCode"), "exit_code");
    EXPECT_EQ(snake_case("pid"), "pid");
    EXPECT_EQ(snake_case("already_snake"), "already_snake");
}

TEST(SnakeCase, ReachesNestedMembersButNotValues) {
    const auto value = json::parse(
        R"({"instances":[{"sinceUSec":1,"exitCode":null}],"settings":{"env":["HomeDir=/x"]},"cause":"exitCode"})");
    ASSERT_TRUE(value);
    json::Writer writer;
    write_snake_case(*value, writer);
    EXPECT_EQ(
        writer.text(),
        R"({"instances":[{"since_usec":1,"exit_code":null}],"settings":{"env":["HomeDir=/x"]},"cause":"exitCode"})");
}

TEST(AgeText, UsesTwoUnitsFromHoursOn) {
    EXPECT_EQ(age_text(9s), "9s");
    EXPECT_EQ(age_text(4min + 59s), "4m");
    EXPECT_EQ(age_text(2h + 11min), "2h 11m");
    EXPECT_EQ(age_text(76h), "3d 4h");
    EXPECT_EQ(age_text(-5s), "0s");
}

TEST(RunTimeText, ShowsTenthsBelowAMinute) {
    EXPECT_EQ(run_time_text(200ms), "0.2s");
    EXPECT_EQ(run_time_text(12400ms), "12.4s");
    EXPECT_EQ(run_time_text(6 * 24h + 2h), "6d 2h");
}

TEST(DateText, NamesDayAndZone) {
    setenv("TZ", "UTC", 1);
    tzset();
    EXPECT_EQ(date_text(1'772'532'662'000'000), "Tue 2026-03-03 10:11:02 UTC");
    EXPECT_EQ(clock_text(1'772'532'662'000'000), "10:11:02");
}

TEST(NaturalLess, OrdersInstancesByNumber) {
    EXPECT_TRUE(natural_less("web@2", "web@10"));
    EXPECT_FALSE(natural_less("web@10", "web@2"));
    EXPECT_TRUE(natural_less("web", "web@0"));
    EXPECT_TRUE(natural_less("a1", "b0"));
    EXPECT_FALSE(natural_less("web@2", "web@2"));
    EXPECT_NE(natural_less("a1", "a01"), natural_less("a01", "a1"));
}

TEST(ShellQuoted, LeavesPlainWordsAndProtectsTheOthers) {
    EXPECT_EQ(shell_quoted("web@1"), "web@1");
    EXPECT_EQ(shell_quoted("web@*"), "'web@*'");
    EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_quoted(""), "''");
}

}  // namespace
}  // namespace procsup::ctl
