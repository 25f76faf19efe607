#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/result.h"
#include "conf/time_zone.h"

namespace procsup {

/// The moments that an expression of crontab(5) means: local times of a zone, made moments by the zone's changes.
///
/// Changes of clocks are treated as Vixie cron and its successors do. Where neither minute nor hour begins with `*`, the
/// expression names times of the day, and each is expected once a day: one that is skipped happens when clocks jump over
/// it (those of one jump are one moment), and one that is shown twice happens the first time. All else is a rhythm, which
/// goes on as real time does, with nothing to make up for and nothing to leave out: it happens whenever clocks show
/// what matches, the second time too.
struct Cron {
    std::uint64_t minutes = 0;  // bit n: minute n
    std::uint32_t hours = 0;
    std::uint32_t days = 0;     // 1 to 31
    std::uint16_t months = 0;   // 1 to 12
    std::uint8_t weekdays = 0;  // 0 is Sunday
    /// One of day of month and day of week is enough: where neither begins with `*`.
    bool either_day = false;
    /// Names times of the day, and is no rhythm.
    bool fixed_time = false;

    friend bool operator==(const Cron&, const Cron&) = default;
};

constexpr std::size_t kLongestCron = 256;

/// Reads "minute hour day-of-month month day-of-week", or "@daily" and the like. An Error names the field, what it
/// allows and the column; what can never happen (30 February) is one.
Result<Cron> parse_cron(std::string_view text);

/// The first moment after `time`; nothing when there is none within 30 years.
std::optional<std::chrono::sys_seconds> next_after(const Cron& cron, const Zone& zone, std::chrono::sys_seconds time);
/// The last one before `time`; nothing when there is none within 30 years. Costs some fifty calls of next_after().
std::optional<std::chrono::sys_seconds> last_before(const Cron& cron, const Zone& zone, std::chrono::sys_seconds time);

}  // namespace procsup
