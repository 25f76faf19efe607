// When a task is started: [schedule].
#include "conf/key_reader.h"

namespace procsup {

void KeyReader::cron(const TomlValue& value) {
    const auto* written = string(value);
    if (written == nullptr) return;
    auto parsed = parse_cron(*written);
    if (!parsed) return report(value, "'schedule.cron': " + parsed.error().message);
    job_->spec.schedule.cron = *written;
    job_->spec.schedule.moments = *parsed;
}

void KeyReader::interval(const TomlValue& value) {
    Duration length{};
    duration(value, length, Zero::Refused);
    if (length == Duration::zero()) return;
    if (length < kShortestInterval) {
        return report(value, "'schedule.interval' must be at least " + to_text(kShortestInterval) +
                                 ": a service that works without a pause needs no schedule");
    }
    job_->spec.schedule.interval = length;
}

void KeyReader::timezone(const TomlValue& value) { placed_text(value, job_->timezone); }

}  // namespace procsup
