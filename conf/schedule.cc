#include "conf/schedule.h"

#include <cstdio>

namespace procsup {

std::string to_text(const Schedule& schedule) {
    if (schedule.cron.empty()) return "every " + to_text(schedule.interval);
    return schedule.cron + " (" + schedule.timezone + ")";
}

std::string moment_text(const Schedule& schedule, std::chrono::sys_seconds moment) {
    using namespace std::chrono;
    const auto offset = schedule.zone ? schedule.zone->offset_at(moment) : seconds(0);
    const auto local = moment + offset;
    const year_month_day date(floor<days>(local));
    const hh_mm_ss time(local - floor<days>(local));
    char text[64];
    const auto length =
        std::snprintf(text, sizeof(text), "%04d-%02u-%02u %02d:%02d", int(date.year()), unsigned(date.month()),
                      unsigned(date.day()), int(time.hours().count()), int(time.minutes().count()));
    std::string result(text, static_cast<std::size_t>(length));
    if (time.seconds() != seconds(0)) {
        std::snprintf(text, sizeof(text), ":%02d", int(time.seconds().count()));
        result += text;
    }
    const int ahead = static_cast<int>(duration_cast<minutes>(abs(offset)).count());
    std::snprintf(text, sizeof(text), " %c%02d:%02d", offset < seconds(0) ? '-' : '+', ahead / 60, ahead % 60);
    return result + text;
}

}  // namespace procsup
