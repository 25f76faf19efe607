#include "conf/time_zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <stdexcept>

namespace procsup {
namespace {

using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;

Zone zone(const char* name) {
    auto loaded = load_zone(name, std::nullopt);
    if (!loaded) throw std::runtime_error(loaded.error().message);
    return *loaded;
}

std::string fault(std::string_view name, const std::optional<std::string>& tz = {}) {
    const auto loaded = load_zone(name, tz);
    return loaded ? "" : loaded.error().message;
}

TEST(TimeZone, HasTheOffsetsThatTheCLibraryHas) {
    for (const char* name : {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
                             "Africa/Casablanca", "Africa/Monrovia", "Antarctica/Troll", "Asia/Kathmandu"}) {
        setenv("TZ", name, 1);
        tzset();
        const auto ours = zone(name);
        // Once in some 5 hours, at another second each time.
        for (std::time_t time = -315'619'200; time < 4'417'977'600; time += 18'061) {
            std::tm local{};
            localtime_r(&time, &local);
            ASSERT_EQ(ours.offset_at(sys_seconds(seconds(time))).count(), local.tm_gmtoff) << name << " at " << time;
        }
    }
    unsetenv("TZ");
}

TEST(TimeZone, ReachesASkippedTimeAtTheChangeAndARepeatedOneTheFirstTime) {
    const auto berlin = zone("Europe/Berlin");
    const auto spring = sys_days(year(2026) / 3 / 29) + minutes(60);
    const auto autumn = sys_days(year(2026) / 10 / 25) + minutes(60);
    const auto march = local_days(year(2026) / 3 / 29);
    const auto october = local_days(year(2026) / 10 / 25);
    EXPECT_EQ(berlin.first_reaching(march + minutes(119)), spring - minutes(1));
    EXPECT_EQ(berlin.first_reaching(march + minutes(120)), spring);
    EXPECT_EQ(berlin.first_reaching(march + minutes(179)), spring);
    EXPECT_EQ(berlin.first_reaching(march + minutes(181)), spring + minutes(1));
    EXPECT_EQ(berlin.first_reaching(october + minutes(150)), autumn - minutes(30));
    EXPECT_EQ(berlin.first_reaching(october + minutes(180)), autumn + minutes(60));
    EXPECT_EQ(berlin.reached_by(autumn + minutes(30)), october + minutes(180) - seconds(1));
    EXPECT_EQ(berlin.next_change(spring - seconds(1)), spring);
    EXPECT_EQ(berlin.next_change(spring), autumn);
}

TEST(TimeZone, OfTheMachineIsWhatTZSays) {
    for (const char* tz : {"Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"}) {
        const auto local = load_zone("local", tz);
        ASSERT_TRUE(local) << local.error().message;
        EXPECT_EQ(local->offset_at(sys_days(year(2026) / 1 / 1)), std::chrono::hours(1)) << tz;
        EXPECT_EQ(local->name(), "local");
    }
    EXPECT_EQ(load_zone("local", "")->next_change(sys_days(year(2026) / 1 / 1)), std::nullopt);
    EXPECT_EQ(fault("local"), "");
    EXPECT_EQ(fault("local", "CET-1CEST"),
              "cannot read the time zone of this machine: TZ is 'CET-1CEST', and no name such as \"Europe/Berlin\"");
}

TEST(TimeZone, OfAnUnknownNameIsRefusedWithWhatWasMeant) {
    EXPECT_EQ(fault("Europe/Berlim"), "unknown time zone 'Europe/Berlim' (did you mean 'Europe/Berlin'?)");
    EXPECT_EQ(fault("AMERICA/new_york"), "unknown time zone 'AMERICA/new_york' (did you mean 'America/New_York'?)");
    EXPECT_EQ(fault("berlin"), "unknown time zone 'berlin' (did you mean 'Europe/Berlin'?)");
    EXPECT_EQ(fault("utc"), "unknown time zone 'utc' (did you mean 'UTC'?)");
    EXPECT_EQ(fault("Middle-earth/Shire"), "unknown time zone 'Middle-earth/Shire'");
    EXPECT_EQ(fault(""), "unknown time zone ''");
}

TEST(TimeZone, IsNoPathAndNoOtherFileOfTheDatabase) {
    for (const char* name : {"/usr/share/zoneinfo/Europe/Berlin", "../zoneinfo/Europe/Berlin", "file:Europe/Berlin",
                             "tzdata.zi", "Europe", "right/Europe/Berlin", "Fixed/UTC+01:00:00", "Europe/Berlin\n"}) {
        EXPECT_NE(fault(name), "") << name;
    }
}

}  // namespace
}  // namespace procsup
