#include "daemon/engine/timetable.h"

#include <algorithm>
#include <utility>

namespace procsup {
namespace {

using std::chrono::sys_seconds;

constexpr Duration kLate = std::chrono::minutes(1);
/// Who sets a clock back by more means another time, and not a better one.
constexpr Duration kSameDay = std::chrono::hours(3);

Duration boot_at(const Clocks& clocks, TimePoint when) { return when.time_since_epoch() + clocks.slept; }

sys_seconds seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

}  // namespace

Timetable::Timetable(const Schedule& schedule, std::int64_t known, const Clocks& clocks, TimePoint now,
                     std::minstd_rand& random)
    : schedule_(schedule), dealt_(clocks.wall_at(now)), ran_(known != 0) {
    if (ran_) dealt_ = WallTime(std::chrono::seconds(known));
    const auto ago = std::max(Duration::zero(), clocks.wall_at(now) - dealt_);
    dealt_boot_ = boot_at(clocks, now) - ago;
    plan(clocks, now, random);
}

std::optional<WallTime> Timetable::take_left_out() { return std::exchange(left_out_, std::nullopt); }

Duration Timetable::late() const {
    return schedule_.jitter + (schedule_.cron.empty() ? std::min(kLate, schedule_.interval) : kLate);
}

void Timetable::clocks_set(const Clocks& before, const Clocks& clocks, TimePoint now, std::minstd_rand& random) {
    if (!ran_) dealt_ += clocks.set_since(before);
    plan(clocks, now, random);
}

bool Timetable::take(const Clocks& clocks, TimePoint now, std::minstd_rand& random) {
    const bool late_by_itself = now - due_ > late();
    const bool runs = schedule_.missed == Schedule::Missed::RunOnce || (!makes_up_ && !late_by_itself);
    if (!runs) leave_out(moment_);
    const bool in_time = !makes_up_ && !late_by_itself;
    dealt_ = in_time && !schedule_.cron.empty() ? moment_ : clocks.wall_at(now);
    // It goes on from when it was due, so that an interval does not drift, unless the next run would be too soon after this one.
    dealt_boot_ += schedule_.interval;
    const auto began = boot_at(clocks, now) - (in_time ? jitter_ : Duration::zero());
    if (!in_time || began - dealt_boot_ > schedule_.interval / 10) dealt_boot_ = began;
    ran_ = true;
    plan(clocks, now, random);
    return runs;
}

void Timetable::leave_out(WallTime moment) {
    if (!left_out_) left_out_ = moment;
}

void Timetable::plan(const Clocks& clocks, TimePoint now, std::minstd_rand& random) {
    makes_up_ = false;
    due_ = TimePoint::max();
    const auto wait = schedule_.cron.empty() ? plan_interval(clocks, now) : plan_cron(clocks, now);
    if (!wait) return;
    if (moment_ != std::exchange(drawn_for_, moment_)) {
        std::uniform_int_distribution<std::int64_t> draw(0, schedule_.jitter.count());
        jitter_ = Duration(draw(random));
    }
    due_ = now + std::max(Duration::zero(), (makes_up_ ? Duration::zero() : *wait) + jitter_);
}

/// How long until the next moment, which has passed if that is negative; nothing when there is none.
std::optional<Duration> Timetable::plan_cron(const Clocks& clocks, TimePoint now) {
    const auto wall = clocks.wall_at(now);
    auto since = dealt_;
    if (since > wall) {
        const bool shown_again = schedule_.moments.fixed_time && since - wall <= kSameDay;
        if (!shown_again) since = wall;
    }
    const auto next_from = [&](WallTime time) {
        return next_after(schedule_.moments, *schedule_.zone, seconds_of(time));
    };
    auto next = next_from(since);
    if (next && wall - WallTime(*next) > late()) {
        if (schedule_.missed == Schedule::Missed::RunOnce) {
            makes_up_ = true;
        } else {
            leave_out(WallTime(*next));
            dealt_ = wall;
            next = next_from(wall);
        }
    }
    if (!next) return std::nullopt;
    moment_ = WallTime(*next);
    return moment_ - wall;
}

std::optional<Duration> Timetable::plan_interval(const Clocks& clocks, TimePoint now) {
    const auto boot = boot_at(clocks, now);
    auto next = dealt_boot_ + schedule_.interval;
    if (boot - next > late()) {
        if (schedule_.missed == Schedule::Missed::RunOnce) {
            makes_up_ = true;
        } else {
            leave_out(clocks.wall_at(now) - (boot - next));
            next = boot + schedule_.interval - (boot - next) % schedule_.interval;
            dealt_boot_ = next - schedule_.interval;
        }
    }
    moment_ = clocks.wall_at(now) + (next - boot);
    return next - boot;
}

}  // namespace procsup
