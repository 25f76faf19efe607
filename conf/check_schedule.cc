// Whether what [schedule] says goes together, and with the rest of the job.
#include <array>
#include <string>

#include "conf/settings_check.h"

namespace procsup {
namespace {

constexpr std::array kHow{Key::ScheduleTimezone, Key::ScheduleOverlap, Key::ScheduleMissed, Key::ScheduleJitter};

}  // namespace

void SettingsCheck::check_schedule() {
    if (spec_.type != JobType::Task) {
        for (const auto key : {Key::ScheduleCron, Key::ScheduleInterval})
            report_own(key, "a " + type_word() + " has no schedule: write type = \"task\"");
        return;
    }
    const auto& schedule = spec_.schedule;
    if (!schedule.is_declared()) {
        for (const auto key : kHow)
            report_own(key, "it never takes effect: [schedule] says neither 'cron' nor 'interval'");
        return;
    }
    const bool cron = draft_.written(Key::ScheduleCron), interval = draft_.written(Key::ScheduleInterval);
    if (cron && interval && draft_.mark(Key::ScheduleCron).rank == draft_.mark(Key::ScheduleInterval).rank)
        report(Key::ScheduleInterval, "'schedule.interval' excludes 'schedule.cron': write one of them");
    if (!cron)
        report_own(Key::ScheduleTimezone,
                   "'schedule.timezone' never takes effect: an interval is as long in every zone");
    if (!cron && schedule.jitter >= schedule.interval) {
        const auto key = place_of(Key::ScheduleJitter, Key::ScheduleInterval);
        report(key, "'schedule.jitter' (" + to_text(schedule.jitter) + ") must be shorter than 'schedule.interval' (" +
                        to_text(schedule.interval) + ")");
    }
}

}  // namespace procsup
