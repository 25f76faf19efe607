#include "conf/schedule.h"

#include <charconv>
#include <cstdio>

namespace procsup {

namespace {

/// The year 9000: beyond it nothing is counted with.
constexpr std::int64_t kLastSecond = 221'845'392'000;

/// The number that `text` begins with, which is taken off it; 0 for none and for what is no moment.
std::int64_t take_moment(std::string_view& text, std::int64_t most) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(' ') || text.starts_with('\n')) text.remove_prefix(1);
    return error == std::errc() && number > 0 && number < most ? number : 0;
}

}  // namespace

std::string to_state(const ScheduleMemory& memory) {
    auto text = std::to_string(memory.dealt) + "\n";
    if (memory.started_usec == 0) return text;
    text += std::to_string(memory.started_usec) + " " + std::to_string(memory.ended_usec);
    return text + (memory.failed ? " failed " : " ok ") + memory.cause + "\n";
}

ScheduleMemory schedule_memory_of(std::string_view text) {
    constexpr auto kLast = kLastSecond * 1'000'000;
    constexpr std::size_t kLongestCause = 1000;
    ScheduleMemory memory;
    memory.dealt = take_moment(text, kLastSecond);
    memory.started_usec = take_moment(text, kLast);
    memory.ended_usec = take_moment(text, kLast);
    const auto line = text.substr(0, text.find('\n'));
    const auto space = line.find(' ');
    const auto how = line.substr(0, space);
    if (memory.ended_usec < memory.started_usec || (how != "ok" && how != "failed")) return {memory.dealt};
    memory.failed = how == "failed";
    if (space != line.npos) memory.cause = line.substr(space + 1, kLongestCause);
    return memory;
}

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
