// Feeds "ZONE TIME\nEXPRESSION", a digit and seconds since 1970, to the reader of cron expressions and to what counts their moments.

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "conf/cron.h"

namespace {

using namespace procsup;
using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

void require(bool holds) {
    if (!holds) abort();
}

const std::vector<Zone>& zones() {
    static const auto loaded = [] {
        std::vector<Zone> all;
        for (const char* name : {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
                                 "Africa/Casablanca", "Africa/Monrovia", "Antarctica/Troll"}) {
            auto zone = load_zone(name, std::nullopt);
            require(zone.has_value());
            all.push_back(*zone);
        }
        return all;
    }();
    return loaded;
}

bool shown_matches(const Cron& cron, const Zone& zone, sys_seconds time) {
    const auto local = time + zone.offset_at(time);
    const auto day = floor<std::chrono::days>(local);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss of_day(local - day);
    const bool by_month = (cron.days >> unsigned(date.day()) & 1) != 0;
    const bool by_week = (cron.weekdays >> std::chrono::weekday(day).c_encoding() & 1) != 0;
    return of_day.seconds() == seconds(0) && (cron.minutes >> of_day.minutes().count() & 1) != 0 &&
           (cron.hours >> of_day.hours().count() & 1) != 0 && (cron.months >> unsigned(date.month()) & 1) != 0 &&
           (cron.either_day ? by_month || by_week : by_month && by_week);
}

void check_moments(const Cron& cron, const Zone& zone, sys_seconds time) {
    for (int i = 0; i < 8; ++i) {
        const auto next = next_after(cron, zone, time);
        if (!next) return;
        require(*next > time && *next <= time + std::chrono::years(30));
        // Only what clocks jump over is done at another time than it says: when they do.
        const bool jump = cron.fixed_time && zone.next_change(*next - seconds(1)) == *next;
        require(jump || shown_matches(cron, zone, *next));
        require(next_after(cron, zone, *next - seconds(1)) == *next);
        require(last_before(cron, zone, *next + seconds(1)) == *next);
        time = *next;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::size_t zone = 0;
    std::int64_t time = 0;
    if (const auto end = text.find('\n'); end != text.npos && end > 2) {
        zone = static_cast<unsigned char>(text[0]) % zones().size();
        std::from_chars(text.data() + 2, text.data() + end, time);
        text.remove_prefix(end + 1);
    }
    const auto cron = parse_cron(text);
    if (!cron) {
        require(!cron.error().message.empty());
        return 0;
    }
    // Any time may be asked for; where zones are known, what is answered has to be right.
    (void)next_after(*cron, zones()[zone], sys_seconds(seconds(time)));
    (void)last_before(*cron, zones()[zone], sys_seconds(seconds(time)));
    const sys_seconds first = sys_days(std::chrono::year(1960) / 1 / 1),
                      last = sys_days(std::chrono::year(2110) / 1 / 1);
    check_moments(*cron, zones()[zone],
                  first + seconds(static_cast<std::uint64_t>(time) % std::uint64_t((last - first).count())));
    return 0;
}
