#include <algorithm>
#include <bit>

#include "conf/cron.h"

namespace procsup {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr seconds kHorizon = std::chrono::years(30);
// Beyond, counting could overflow.
constexpr sys_seconds kEarliest = sys_days(year(1000) / 1 / 1);
constexpr sys_seconds kLatest = sys_days(year(9000) / 1 / 1);

local_seconds local(sys_seconds time, seconds offset) { return local_seconds((time + offset).time_since_epoch()); }

/// The bits of those from `first` on.
constexpr std::uint64_t from_bit(unsigned first) { return ~std::uint64_t(0) << first; }

/// The days of a month, bits 1 to 31, that the expression has.
std::uint64_t days_of(const Cron& cron, year_month month) {
    if ((cron.months >> unsigned(month.month()) & 1) == 0) return 0;
    constexpr std::uint64_t kEachWeek = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | std::uint64_t(1) << 35;
    const auto first = std::chrono::weekday(sys_days(month / 1)).c_encoding();
    const std::uint64_t by_week = (cron.weekdays * kEachWeek >> first) << 1;
    const std::uint64_t by_month = cron.days;
    const auto last = unsigned((month / std::chrono::last).day());
    return (cron.either_day ? by_week | by_month : by_week & by_month) & from_bit(1) & ~from_bit(last + 1);
}

/// The first time of the day that is not before `from`.
std::optional<minutes> time_of_day(const Cron& cron, minutes from) {
    const auto hour = floor<hours>(from);
    const auto this_hour = cron.minutes & from_bit(static_cast<unsigned>((from - hour).count()));
    if ((cron.hours >> hour.count() & 1) != 0 && this_hour != 0) return hour + minutes(std::countr_zero(this_hour));
    const auto later = cron.hours & from_bit(static_cast<unsigned>(hour.count()) + 1);
    if (later == 0) return std::nullopt;
    return hours(std::countr_zero(later)) + minutes(std::countr_zero(cron.minutes));
}

/// The first local time from `from`, a full minute, and before `until`, that matches.
std::optional<local_seconds> next_match(const Cron& cron, local_seconds from, local_seconds until) {
    const auto today = floor<days>(from);
    const year_month_day date(today);
    year_month month = date.year() / date.month();
    auto left = days_of(cron, month) & from_bit(unsigned(date.day()));
    if ((left >> unsigned(date.day()) & 1) != 0) {
        if (const auto time = time_of_day(cron, floor<minutes>(from - today))) {
            const local_seconds found = today + *time;
            return found < until ? std::optional(found) : std::nullopt;
        }
        left &= from_bit(unsigned(date.day()) + 1);
    }
    while (left == 0) {
        month += std::chrono::months(1);
        if (local_days(month / 1) >= until) return std::nullopt;
        left = days_of(cron, month);
    }
    const local_seconds found = local_days(month / std::chrono::day(static_cast<unsigned>(std::countr_zero(left)))) +
                                *time_of_day(cron, minutes(0));
    return found < until ? std::optional(found) : std::nullopt;
}

/// A time of the day happens when clocks reach it, so what they have reached before does not count.
std::optional<sys_seconds> next_time_of_day(const Cron& cron, const Zone& zone, sys_seconds after, sys_seconds until) {
    const auto from = floor<minutes>(zone.reached_by(after)) + minutes(1);
    const auto found = next_match(cron, from, zone.reached_by(until));
    return found ? std::optional(zone.first_reaching(*found)) : std::nullopt;
}

/// From one change of the zone to the next: between them, clocks run as time does.
std::optional<sys_seconds> next_of_rhythm(const Cron& cron, const Zone& zone, sys_seconds after, sys_seconds until) {
    for (auto from = after + seconds(1); from < until;) {
        const auto offset = zone.offset_at(from);
        const auto end = std::min(zone.next_change(from).value_or(until), until);
        const auto found = next_match(cron, std::chrono::ceil<minutes>(local(from, offset)), local(end, offset));
        if (found) return sys_seconds(found->time_since_epoch()) - offset;
        from = end;
    }
    return std::nullopt;
}

}  // namespace

std::optional<sys_seconds> next_after(const Cron& cron, const Zone& zone, sys_seconds time) {
    if (time < kEarliest || time > kLatest) return std::nullopt;
    const auto until = time + kHorizon;
    return cron.fixed_time ? next_time_of_day(cron, zone, time, until) : next_of_rhythm(cron, zone, time, until);
}

std::optional<sys_seconds> last_before(const Cron& cron, const Zone& zone, sys_seconds time) {
    if (time < kEarliest + kHorizon || time > kLatest) return std::nullopt;
    const auto one_between = [&](sys_seconds after) {
        const auto next = next_after(cron, zone, after);
        return next && *next < time ? next : std::nullopt;
    };
    seconds back = hours(1);
    auto found = one_between(time - back);
    while (!found && back < kHorizon) {
        back = std::min(back * 2, kHorizon);
        found = one_between(time - back);
    }
    // What is later than `high` is none; halves what is between.
    for (auto high = time; found && *found < high;) {
        const auto middle = *found + (high - *found) / 2;
        if (const auto later = one_between(middle)) {
            found = later;
        } else {
            high = middle;
        }
    }
    return found;
}

}  // namespace procsup
