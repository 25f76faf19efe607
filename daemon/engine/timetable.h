#pragma once

#include <optional>
#include <random>

#include "conf/schedule.h"
#include "daemon/engine/ports.h"

namespace procsup {

/// How far the clocks of a machine are apart: CLOCK_REALTIME, which is set by people and by time servers, CLOCK_BOOTTIME, which goes
/// on while the machine sleeps, and CLOCK_MONOTONIC, by which everything here is timed. See clock_gettime(2).
struct Clocks {
    Duration wall{};   ///< CLOCK_REALTIME is ahead of CLOCK_MONOTONIC by that
    Duration slept{};  ///< CLOCK_BOOTTIME is

    WallTime wall_at(TimePoint when) const { return WallTime(when.time_since_epoch() + wall); }
    /// By how much the clock was set since `before`; what passed while the machine slept is not.
    Duration set_since(const Clocks& before) const { return (wall - before.wall) - (slept - before.slept); }
};

/// When a task is started next, and up to when all its runs are dealt with. Pure: time and clocks come with each call.
///
/// Times of the day follow the clock, wherever that is set: those that it was set over, and those that came while nobody could
/// start anything, were missed, and [schedule] missed says what becomes of them. A time of the day that a clock shows again,
/// because it was set back by up to three hours, is no new one, as in Vixie cron. Intervals are real time and know no clock.
class Timetable {
public:
    /// `known`: up to when runs were dealt with before, in seconds since 1970; with 0 they count from now on.
    Timetable(const Schedule& schedule, std::int64_t known, const Clocks& clocks, TimePoint now,
              std::minstd_rand& random);

    const Schedule& schedule() const { return schedule_; }
    /// When the next run is to be started; kNever: not within 30 years.
    TimePoint due() const { return due_; }
    /// The moment that run is for, without its jitter; of several missed ones the first.
    WallTime moment() const { return moment_; }
    /// That moment has passed, and nobody could start it then.
    bool makes_up() const { return makes_up_; }
    /// Up to when all runs are dealt with, in seconds since 1970, to be remembered.
    std::int64_t dealt() const { return std::chrono::floor<std::chrono::seconds>(dealt_).time_since_epoch().count(); }
    /// The first of the runs that were left out because they were missed, since this was asked last.
    std::optional<WallTime> take_left_out();

    /// The clock was set, or the machine has slept.
    void clocks_set(const Clocks& before, const Clocks& clocks, TimePoint now, std::minstd_rand& random);
    /// due() has come: false when it was missed and is left out.
    bool take(const Clocks& clocks, TimePoint now, std::minstd_rand& random);

private:
    void plan(const Clocks& clocks, TimePoint now, std::minstd_rand& random);
    std::optional<Duration> plan_cron(const Clocks& clocks, TimePoint now);
    std::optional<Duration> plan_interval(const Clocks& clocks, TimePoint now);
    void leave_out(WallTime moment);
    /// So late is no run because of what procsupd itself is busy with.
    Duration late() const;

    Schedule schedule_;
    WallTime dealt_;
    bool ran_ = false;  ///< dealt_ was a run, or remembered: else it is when this was begun, by clocks as they are set
    Duration dealt_boot_{};  ///< of an interval: CLOCK_BOOTTIME then
    WallTime moment_{};
    TimePoint due_ = TimePoint::max();
    bool makes_up_ = false;
    WallTime drawn_for_{};  ///< the moment for which `jitter_` was drawn
    Duration jitter_{};
    std::optional<WallTime> left_out_;
};

}  // namespace procsup
