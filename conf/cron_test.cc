#include "conf/cron.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace procsup {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

Zone zone(const char* name) {
    auto loaded = load_zone(name, std::nullopt);
    if (!loaded) throw std::runtime_error(loaded.error().message);
    return *loaded;
}

Cron cron(const std::string& text) {
    auto parsed = parse_cron(text);
    if (!parsed) throw std::runtime_error(text + ": " + parsed.error().message);
    return *parsed;
}

std::string fault(std::string_view text) {
    const auto parsed = parse_cron(text);
    return parsed ? "" : parsed.error().message;
}

/// "2026-03-29 03:00 +0200".
sys_seconds moment(const char* text) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, off_h = 0, off_m = 0;
    char sign = '+';
    if (std::sscanf(text, "%d-%d-%d %d:%d %c%2d%2d", &y, &mo, &d, &h, &mi, &sign, &off_h, &off_m) != 8) {
        throw std::runtime_error(text);
    }
    const auto date = std::chrono::year(y) / mo / d;
    const auto offset = minutes(off_h * 60 + off_m) * (sign == '-' ? -1 : 1);
    return sys_days(date) + std::chrono::hours(h) + minutes(mi) - offset;
}

std::string text_of(sys_seconds time, const Zone& zone) {
    const auto offset = zone.offset_at(time);
    const auto local = time + offset;
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date(day);
    const auto of_day = (local - day).count();
    const auto off = std::abs(offset.count()) / 60;
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d %c%02d%02d", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()), int(of_day / 3600), int(of_day / 60 % 60), offset.count() < 0 ? '-' : '+',
                  int(off / 60), int(off % 60));
    return text;
}

struct Case {
    const char* text;
    const char* zone;
    const char* after;
    std::vector<std::string> moments;
};

void check(const std::vector<Case>& cases) {
    for (const auto& expected : cases) {
        const auto in = zone(expected.zone);
        const auto parsed = cron(expected.text);
        std::vector<std::string> found;
        auto time = moment(expected.after);
        for (std::size_t i = 0; i < expected.moments.size(); ++i) {
            const auto next = next_after(parsed, in, time);
            if (!next) break;
            found.push_back(text_of(*next, in));
            if (i > 0) {
                EXPECT_EQ(last_before(parsed, in, *next), time) << expected.text << " before " << found.back();
            }
            time = *next;
        }
        EXPECT_EQ(found, expected.moments) << expected.text << " in " << expected.zone;
    }
}

TEST(Cron, ReadsListsRangesStepsAndNames) {
    EXPECT_EQ(cron("1,2,5 * * * *").minutes, 0b100110u);
    EXPECT_EQ(cron("1-30/7 * * * *").minutes, 1u << 1 | 1u << 8 | 1u << 15 | 1u << 22 | 1u << 29);
    EXPECT_EQ(cron("* */6 * * *").hours, 1u | 1u << 6 | 1u << 12 | 1u << 18);
    EXPECT_EQ(cron("* * 31,1-3 * *").days, 1u << 31 | 0b1110u);
    EXPECT_EQ(cron("* * * jan,Mar-MAY *").months, 1u << 1 | 0b111000u);
    EXPECT_EQ(cron("* * * * sun,2,FRI-7").weekdays, 0b1100101);
    EXPECT_EQ(cron("* * * * 7"), cron("* * * * 0"));
    EXPECT_EQ(cron("* * * * 1-7/2").weekdays, 0b0101011);
    EXPECT_EQ(cron("*/60 */24 */31 */12 */7"), cron("*/60 */24 */31 1 */7"));
    EXPECT_EQ(cron(" \t05 04\t* * *  "), cron("5 4 * * *"));
}

TEST(Cron, ReadsShorthands) {
    EXPECT_EQ(cron("@hourly"), cron("0 * * * *"));
    EXPECT_EQ(cron("@daily"), cron("0 0 * * *"));
    EXPECT_EQ(cron("@midnight"), cron("0 0 * * *"));
    EXPECT_EQ(cron("@Weekly"), cron("0 0 * * SUN"));
    EXPECT_EQ(cron("@monthly"), cron("0 0 1 * *"));
    EXPECT_EQ(cron(" @yearly "), cron("0 0 1 1 *"));
    EXPECT_EQ(cron("@annually"), cron("0 0 1 1 *"));
}

TEST(Cron, SaysWhatIsWrongAndWhere) {
    const std::pair<std::string, const char*> cases[] = {
        {"61 * * * *", "minute: 61 is not in 0-59 (column 1)"},
        {"0 1,24 * * *", "hour: 24 is not in 0-23 (column 5)"},
        {"0 0 0 * *", "day-of-month: 0 is not in 1-31 (column 5)"},
        {"0 0 * 13 *", "month: 13 is not in 1-12 (column 7)"},
        {"0 0 * * 8", "day-of-week: 8 is not in 0-7 (column 9)"},
        {"99999999999999999999 * * * *", "minute: 99999999999999999999 is not in 0-59 (column 1)"},
        {"0 0 * JANN *", "month: 'JANN' is not one of 1-12, JAN-DEC (did you mean 'JAN'?) (column 7)"},
        {"0 0 * * x", "day-of-week: 'x' is not one of 0-7, SUN-SAT (column 9)"},
        {"-1 * * * *", "minute: a value is missing, one of 0-59 (column 1)"},
        {"1,,2 * * * *", "minute: a value is missing, one of 0-59 (column 3)"},
        {"+1 * * * *", "minute: '+1' is not one of 0-59 (column 1)"},
        {"? * * * *", "minute: '?' is not one of 0-59 (column 1)"},
        {"** * * * *", "minute: '**' is not one of 0-59 (column 1)"},
        {"5/10 * * * *", "minute: '5/10' is a step without a range: write 5-59/10 (column 1)"},
        {"*/0 * * * *", "minute: the step '0' is not in 1-60 (column 3)"},
        {"*/90 * * * *", "minute: the step '90' is not in 1-60 (column 3)"},
        {"*/5/2 * * * *", "minute: the step '5/2' is not in 1-60 (column 3)"},
        {"0 22-2 * * *", "hour: the range '22-2' ends before it begins: write 22-23,0-2 (column 3)"},
        {"0 0 * * SAT-SUN", "day-of-week: the range 'SAT-SUN' ends before it begins: write 6,0 (column 9)"},
        {"0 0 * *", "the fields are minute hour day-of-month month day-of-week: day-of-week is missing (column 8)"},
        {"", "the fields are minute hour day-of-month month day-of-week: minute is missing (column 1)"},
        {"0 0 0 * * *",
         "there are more than the five fields minute hour day-of-month month day-of-week (none is for "
         "seconds or years) (column 11)"},
        {"@reboot", "'@reboot' is no time: a job with enabled = true is started with procsupd (column 1)"},
        {"@dayly", "unknown shorthand '@dayly' (did you mean '@daily'?) (column 1)"},
        {"@daily 5", "nothing may follow '@daily' (column 8)"},
        {"0 0 30 2 *", "day-of-month: this never happens, as no month of '2' has a day of '30' (column 5)"},
        {"0 0 31 4,6,9,NOV */2",
         "day-of-month: this never happens, as no month of '4,6,9,NOV' has a day of '31' (column 5)"},
        {std::string(257, ' '), "the expression is longer than 256 bytes"},
    };
    for (const auto& [text, message] : cases) EXPECT_EQ(fault(text), message);
}

TEST(Cron, HappensOnEitherDayOnlyWhereBothAreRestricted) {
    check({
        {"0 0 13 * FRI",
         "UTC",
         "2026-02-12 00:00 +0000",
         {"2026-02-13 00:00 +0000", "2026-02-20 00:00 +0000", "2026-02-27 00:00 +0000", "2026-03-06 00:00 +0000",
          "2026-03-13 00:00 +0000"}},
        {"0 0 */2 * FRI",
         "UTC",
         "2026-02-12 00:00 +0000",
         {"2026-02-13 00:00 +0000", "2026-02-27 00:00 +0000", "2026-03-13 00:00 +0000"}},
        {"0 0 13 * */6", "UTC", "2026-02-12 00:00 +0000", {"2026-06-13 00:00 +0000", "2026-09-13 00:00 +0000"}},
        {"0 0 1-31 * FRI", "UTC", "2026-02-12 00:00 +0000", {"2026-02-13 00:00 +0000", "2026-02-14 00:00 +0000"}},
        {"0 0 30 2 FRI", "UTC", "2026-02-12 00:00 +0000", {"2026-02-13 00:00 +0000", "2026-02-20 00:00 +0000"}},
    });
}

TEST(Cron, KnowsTheEndsOfMonthsAndLeapDays) {
    check({
        {"59 23 31 * *", "UTC", "2026-01-31 23:59 +0000", {"2026-03-31 23:59 +0000", "2026-05-31 23:59 +0000"}},
        {"0 0 30 * *", "UTC", "2026-01-30 00:00 +0000", {"2026-03-30 00:00 +0000"}},
        {"0 0 29 2 *", "UTC", "1970-01-01 00:00 +0000", {"1972-02-29 00:00 +0000", "1976-02-29 00:00 +0000"}},
        {"0 0 29 2 *", "UTC", "2096-02-28 00:00 +0000", {"2096-02-29 00:00 +0000", "2104-02-29 00:00 +0000"}},
        {"0 0 29 2 */7", "UTC", "2026-01-01 00:00 +0000", {"2032-02-29 00:00 +0000", "2060-02-29 00:00 +0000"}},
        {"* * * * *", "UTC", "1999-12-31 23:58 +0000", {"1999-12-31 23:59 +0000", "2000-01-01 00:00 +0000"}},
        {"@yearly", "Asia/Kathmandu", "2099-06-01 00:00 +0545", {"2100-01-01 00:00 +0545", "2101-01-01 00:00 +0545"}},
    });
}

TEST(Cron, HasNoMomentWhereNoneIsWithinThirtyYears) {
    const auto utc = zone("UTC");
    // The next 29 February on a Sunday is 2128.
    const auto rare = cron("0 0 29 2 */7");
    EXPECT_EQ(next_after(rare, utc, moment("2088-02-29 00:00 +0000")), std::nullopt);
    EXPECT_EQ(last_before(rare, utc, moment("2128-02-29 00:00 +0000")), std::nullopt);
    EXPECT_EQ(next_after(rare, utc, sys_seconds::max()), std::nullopt);
    EXPECT_EQ(next_after(rare, utc, sys_seconds::min()), std::nullopt);
    EXPECT_EQ(last_before(rare, utc, sys_seconds::min()), std::nullopt);
}

TEST(Cron, DoesATimeThatIsSkippedWhenClocksJumpOverIt) {
    check({
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-03-28 02:00 +0100",
         {"2026-03-28 02:30 +0100", "2026-03-29 03:00 +0200", "2026-03-30 02:30 +0200"}},
        {"0,30 2,3 * * *",
         "Europe/Berlin",
         "2026-03-29 00:00 +0100",
         {"2026-03-29 03:00 +0200", "2026-03-29 03:30 +0200", "2026-03-30 02:00 +0200"}},
        {"30 2 * * *",
         "America/New_York",
         "2026-03-08 00:00 -0500",
         {"2026-03-08 03:00 -0400", "2026-03-09 02:30 -0400"}},
        {"15 2 * * *",
         "Australia/Lord_Howe",
         "2026-10-03 12:00 +1030",
         {"2026-10-04 02:30 +1100", "2026-10-05 02:15 +1100"}},
        {"0 12 * * *",
         "Pacific/Apia",
         "2011-12-29 00:00 -1000",
         {"2011-12-29 12:00 -1000", "2011-12-31 00:00 +1400", "2011-12-31 12:00 +1400"}},
        {"0 0 * * *", "Pacific/Apia", "2011-12-29 00:00 -1000", {"2011-12-31 00:00 +1400", "2012-01-01 00:00 +1400"}},
        {"0 0 * * *",
         "America/Sao_Paulo",
         "2018-11-03 00:00 -0300",
         {"2018-11-04 01:00 -0200", "2018-11-05 00:00 -0200"}},
        {"30 2 * * *", "Europe/Berlin", "2100-03-27 12:00 +0100", {"2100-03-28 03:00 +0200", "2100-03-29 02:30 +0200"}},
    });
}

TEST(Cron, DoesATimeThatIsThereTwiceOnce) {
    check({
        {"30 2 * * *", "Europe/Berlin", "2026-10-24 12:00 +0200", {"2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"}},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25 02:00 +0100", {"2026-10-26 02:30 +0100"}},
        {"0,30 2,3 * * *",
         "Europe/Berlin",
         "2026-10-25 01:00 +0200",
         {"2026-10-25 02:00 +0200", "2026-10-25 02:30 +0200", "2026-10-25 03:00 +0100"}},
        {"30 1 * * *",
         "America/New_York",
         "2026-11-01 00:00 -0400",
         {"2026-11-01 01:30 -0400", "2026-11-02 01:30 -0500"}},
        {"45 1 * * *",
         "Australia/Lord_Howe",
         "2026-04-05 00:00 +1100",
         {"2026-04-05 01:45 +1100", "2026-04-06 01:45 +1030"}},
        {"0 2 * * *",
         "Australia/Lord_Howe",
         "2026-04-05 00:00 +1100",
         {"2026-04-05 02:00 +1030", "2026-04-06 02:00 +1030"}},
    });
}

TEST(Cron, KeepsItsRhythmWhileClocksChange) {
    check({
        {"30 * * * *", "Europe/Berlin", "2026-03-29 01:00 +0100", {"2026-03-29 01:30 +0100", "2026-03-29 03:30 +0200"}},
        {"30 * * * *",
         "Europe/Berlin",
         "2026-10-25 02:00 +0200",
         {"2026-10-25 02:30 +0200", "2026-10-25 02:30 +0100", "2026-10-25 03:30 +0100"}},
        {"*/30 * * * *",
         "America/New_York",
         "2026-11-01 01:15 -0400",
         {"2026-11-01 01:30 -0400", "2026-11-01 01:00 -0500", "2026-11-01 01:30 -0500", "2026-11-01 02:00 -0500"}},
        {"*/15 * * * *",
         "Australia/Lord_Howe",
         "2026-10-04 01:30 +1030",
         {"2026-10-04 01:45 +1030", "2026-10-04 02:30 +1100", "2026-10-04 02:45 +1100"}},
        {"*/15 * * * *",
         "Australia/Lord_Howe",
         "2026-04-05 01:30 +1100",
         {"2026-04-05 01:45 +1100", "2026-04-05 01:30 +1030", "2026-04-05 01:45 +1030", "2026-04-05 02:00 +1030"}},
        {"0 */12 * * *",
         "Pacific/Apia",
         "2011-12-29 01:00 -1000",
         {"2011-12-29 12:00 -1000", "2011-12-31 00:00 +1400"}},
        // As in Vixie cron, any minute makes a rhythm, too.
        {"*/30 2 * * *", "Europe/Berlin", "2026-03-29 00:00 +0100", {"2026-03-30 02:00 +0200"}},
        {"*/30 2 * * *",
         "Europe/Berlin",
         "2026-10-25 02:00 +0200",
         {"2026-10-25 02:30 +0200", "2026-10-25 02:00 +0100", "2026-10-25 02:30 +0100"}},
    });
}

TEST(Cron, IsSearchedForThroughThirtyYearsTenThousandTimesBeforeTheTestTimesOut) {
    const auto casablanca = zone("Africa/Casablanca");
    const Cron never[] = {cron("0 0 29 2 */7"), cron("* * 29 2 */7")};
    const auto time = moment("2088-03-01 00:00 +0000");
    for (int i = 0; i < 10'000; ++i) ASSERT_EQ(next_after(never[i % 2], casablanca, time + seconds(i)), std::nullopt);
}

}  // namespace
}  // namespace procsup
