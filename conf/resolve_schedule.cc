// The time zone in which clocks are looked at.
#include "conf/resolving_job.h"

namespace procsup {

void JobResolver::resolve_schedule(Job& job) {
    auto& schedule = job.spec.schedule;
    if (job.spec.type != JobType::Task) schedule = {};
    // Of two texts the upper one counts.
    if (!schedule.cron.empty() && job.draft.outranks(Key::ScheduleInterval, Key::ScheduleCron)) schedule.cron.clear();
    if (schedule.cron.empty()) {
        schedule.timezone = Schedule().timezone;
        return;
    }
    schedule.interval = {};
    const auto& written = job.draft.timezone;
    if (written.place.file != nullptr) schedule.timezone = written.text;
    auto zone = surroundings_.time_zone(schedule.timezone);
    if (zone) {
        schedule.zone = std::move(*zone);
    } else {
        const auto& place = written.place.file != nullptr ? written.place : job.key_place(Key::ScheduleCron);
        problems_.add(place, "'schedule.timezone': " + zone.error().message);
    }
}

}  // namespace procsup
