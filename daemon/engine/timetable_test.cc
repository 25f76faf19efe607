#include "daemon/engine/timetable.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr WallTime on(int year, unsigned month, unsigned day, Duration time) {
    return WallTime(sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day))) + time;
}

/// A machine whose clocks a test sets.
struct Machine {
    explicit Machine(WallTime wall) { clocks.wall = wall.time_since_epoch() - now.time_since_epoch(); }

    void begin(std::int64_t known = 0) { timetable.emplace(schedule, known, clocks, now, random); }
    WallTime wall() const { return clocks.wall_at(now); }
    void pass(Duration time) { now += time; }
    void set_clock(Duration by) {
        const auto before = clocks;
        clocks.wall += by;
        timetable->clocks_set(before, clocks, now, random);
    }
    void sleep(Duration time) {
        const auto before = clocks;
        clocks.wall += time;
        clocks.slept += time;
        timetable->clocks_set(before, clocks, now, random);
    }
    /// Time passes until a run is due, and it is taken; when the clock showed what then.
    WallTime next() {
        now = std::max(now, timetable->due());
        timetable->take(clocks, now, random);
        return wall();
    }
    /// The runs within that time.
    std::vector<WallTime> within(Duration time) {
        std::vector<WallTime> runs;
        const auto end = now + time;
        while (timetable->due() <= end) runs.push_back(next());
        now = end;
        return runs;
    }

    TimePoint now{1000s};
    Clocks clocks;
    std::minstd_rand random{1};
    Schedule schedule;
    std::optional<Timetable> timetable;
};

struct Daily : Machine {
    explicit Daily(WallTime wall, Schedule::Missed missed = Schedule::Missed::RunOnce) : Machine(wall) {
        schedule.cron = "0 2 * * *";
        schedule.moments = *parse_cron(schedule.cron);
        schedule.zone = std::make_shared<const Zone>("UTC", 0s, std::vector<Zone::Change>());
        schedule.missed = missed;
    }
};

std::int64_t known(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

constexpr auto kNoon = on(2026, 11, 23, 12h);

TEST(Timetable, TimesOfTheDayComeOneAfterTheOther) {
    Daily task(kNoon);
    task.begin();
    EXPECT_EQ(task.within(72h), (std::vector{on(2026, 11, 24, 2h), on(2026, 11, 25, 2h), on(2026, 11, 26, 2h)}));
    EXPECT_EQ(task.timetable->dealt(), known(on(2026, 11, 26, 2h)));
}

TEST(Timetable, WhatWasMissedBeforeIsMadeUpForByOneRun) {
    Daily task(kNoon);
    task.begin(known(on(2026, 11, 1, 2h)));
    EXPECT_TRUE(task.timetable->makes_up());
    EXPECT_EQ(task.timetable->moment(), on(2026, 11, 2, 2h));
    EXPECT_EQ(task.within(24h), (std::vector{kNoon, on(2026, 11, 24, 2h)}));
}

TEST(Timetable, WhatWasMissedIsLeftOutWhereTheScheduleSaysSo) {
    Daily task(kNoon, Schedule::Missed::Skip);
    task.begin(known(on(2026, 11, 1, 2h)));
    EXPECT_EQ(task.timetable->take_left_out(), on(2026, 11, 2, 2h));
    EXPECT_EQ(task.timetable->take_left_out(), std::nullopt);
    EXPECT_EQ(task.within(24h), (std::vector{on(2026, 11, 24, 2h)}));
}

TEST(Timetable, NothingWasMissedBeforeItsTime) {
    Daily task(kNoon);
    task.begin(known(on(2026, 11, 23, 2h)));
    EXPECT_FALSE(task.timetable->makes_up());
    EXPECT_EQ(task.timetable->due(), task.now + 14h);
}

TEST(Timetable, ASleepOverARunIsMadeUpForWhenTheMachineAwakes) {
    Daily task(kNoon);
    task.begin();
    task.sleep(20h);
    EXPECT_TRUE(task.timetable->makes_up());
    EXPECT_EQ(task.timetable->due(), task.now);
    EXPECT_EQ(task.within(24h), (std::vector{on(2026, 11, 24, 8h), on(2026, 11, 25, 2h)}));
}

TEST(Timetable, TenYearsForwardAreOneRunAtMostAndBackNone) {
    Daily task(kNoon);
    task.begin(known(on(2026, 11, 23, 2h)));
    task.set_clock(24h * 3652);
    EXPECT_EQ(task.within(1h).size(), 1u);
    task.set_clock(-24h * 3652);
    EXPECT_EQ(task.within(1h).size(), 0u);
    EXPECT_EQ(task.within(24h), (std::vector{on(2026, 11, 24, 2h)}));
}

TEST(Timetable, AClockThatIsWrongAtBootIsNoReasonForARun) {
    Daily first(on(1970, 1, 1, 1min));
    first.begin();
    first.set_clock(kNoon - first.wall());
    EXPECT_FALSE(first.timetable->makes_up());
    Daily later(on(2016, 1, 1, 1min));
    later.begin(known(on(2026, 11, 23, 2h)));
    later.set_clock(kNoon - later.wall());
    EXPECT_FALSE(later.timetable->makes_up());
    EXPECT_EQ(later.timetable->moment(), on(2026, 11, 24, 2h));
}

TEST(Timetable, ATimeOfTheDayThatIsShownAgainIsNoNewOne) {
    Daily task(on(2026, 11, 23, 1h));
    task.begin();
    task.within(90min);
    task.set_clock(-1h);
    EXPECT_EQ(task.within(12h).size(), 0u);
    task.set_clock(-24h);
    EXPECT_EQ(task.timetable->moment(), on(2026, 11, 23, 2h));
}

TEST(Timetable, ARhythmGoesOnWhenTheClockIsSetBack) {
    Daily task(on(2026, 11, 23, 1h));
    task.schedule.cron = "*/10 * * * *";
    task.schedule.moments = *parse_cron(task.schedule.cron);
    task.begin();
    EXPECT_EQ(task.within(1h).size(), 6u);
    task.set_clock(-1h);
    EXPECT_EQ(task.within(1h).size(), 6u);
}

TEST(Timetable, ARunThatIsALittleLateIsNone) {
    Daily task(kNoon, Schedule::Missed::Skip);
    task.begin();
    task.now = task.timetable->due() + 30s;
    EXPECT_TRUE(task.timetable->take(task.clocks, task.now, task.random));
    task.now = task.timetable->due() + 2min;
    EXPECT_FALSE(task.timetable->take(task.clocks, task.now, task.random));
    EXPECT_EQ(task.timetable->take_left_out(), on(2026, 11, 25, 2h));
}

TEST(Timetable, JitterIsDrawnForEachRunAndKeptForIt) {
    Daily task(kNoon);
    task.schedule.jitter = 1h;
    task.begin();
    const auto due = task.timetable->due();
    EXPECT_GT(due, task.now + 14h);
    EXPECT_LE(due, task.now + 15h);
    task.set_clock(10min);
    EXPECT_EQ(task.timetable->due(), due - 10min);
    task.next();
    EXPECT_EQ(task.timetable->moment(), on(2026, 11, 25, 2h));
}

struct Hourly : Machine {
    explicit Hourly(Schedule::Missed missed = Schedule::Missed::RunOnce) : Machine(kNoon) {
        schedule.interval = 1h;
        schedule.missed = missed;
    }
};

TEST(Timetable, AnIntervalIsRealTimeWhateverClocksAreSetTo) {
    Hourly task;
    task.begin();
    task.pass(30min);
    task.set_clock(24h * 3652);
    EXPECT_EQ(task.timetable->due(), task.now + 30min);
    task.set_clock(-24h * 7304);
    EXPECT_EQ(task.timetable->due(), task.now + 30min);
    EXPECT_EQ(task.within(3h).size(), 3u);
}

TEST(Timetable, AnIntervalGoesOnWhileTheMachineSleeps) {
    Hourly task;
    task.begin();
    task.sleep(59min);
    EXPECT_EQ(task.timetable->due(), task.now + 1min);
    task.sleep(10h);
    EXPECT_EQ(task.timetable->due(), task.now);
    EXPECT_TRUE(task.timetable->makes_up());
    task.next();
    EXPECT_EQ(task.timetable->due(), task.now + 1h);
}

TEST(Timetable, AnIntervalThatIsLateKeepsItsDistance) {
    Hourly task(Schedule::Missed::Skip);
    task.begin();
    task.sleep(1h + 50s);
    EXPECT_FALSE(task.timetable->makes_up());
    task.next();
    EXPECT_EQ(task.timetable->due(), task.now + 1h - 50s);
    task.schedule.interval = 1min;
    task.begin();
    task.sleep(110s);
    task.next();
    EXPECT_EQ(task.timetable->due(), task.now + 1min);
}

TEST(Timetable, AnIntervalIsTakenUpWhereItWasBefore) {
    Hourly task;
    task.begin(known(kNoon - 20min));
    EXPECT_EQ(task.timetable->due(), task.now + 40min);
    task.begin(known(kNoon - 200min));
    EXPECT_TRUE(task.timetable->makes_up());
    task.begin(known(kNoon + 24h * 3652));
    EXPECT_EQ(task.timetable->due(), task.now + 1h);
}

TEST(Timetable, AMissedIntervalIsLeftOutInStep) {
    Hourly task(Schedule::Missed::Skip);
    task.begin(known(kNoon - 200min));
    EXPECT_EQ(task.timetable->take_left_out(), kNoon - 140min);
    EXPECT_EQ(task.timetable->due(), task.now + 40min);
}

TEST(Timetable, AnIntervalDoesNotDrift) {
    Hourly task;
    task.begin();
    const auto begun = task.now;
    for (int i = 1; i <= 100; ++i) {
        task.now = task.timetable->due() + 5ms;
        task.timetable->take(task.clocks, task.now, task.random);
    }
    EXPECT_EQ(task.timetable->due(), begun + 101h);
}

}  // namespace
}  // namespace procsup
