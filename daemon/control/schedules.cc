#include "daemon/control/schedules.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/control/instance_json.h"
#include "daemon/control/missing.h"

namespace procsup {
namespace {

std::int64_t usec(WallTime time) { return time.time_since_epoch().count(); }

/// Of the instance that was started last; null: none was.
const Instance* last_started(const Job& job) {
    const Instance* last = nullptr;
    for (const auto& instance : job.instances) {
        const bool was_started = instance->past_run() != nullptr || is_executing(instance->state());
        if (was_started && (last == nullptr || instance->began() > last->began())) last = instance.get();
    }
    return last;
}

void write_last(json::Writer& writer, const Job& job, const HostPort& host) {
    const auto* instance = last_started(job);
    const auto& remembered = job.spec->remembered;
    if (instance == nullptr && remembered.started_usec == 0) return;
    writer.key("last").begin_object();
    if (instance == nullptr) {
        writer.member_int("startedUSec", remembered.started_usec).member_int("endedUSec", remembered.ended_usec);
        writer.member("cause", remembered.cause).member_bool("failed", remembered.failed).end_object();
        return;
    }
    writer.member("name", instance->name().instance);
    if (is_executing(instance->state())) {
        writer.member_int("startedUSec", wall_usec(host, instance->began()));
    } else {
        const auto& past = *instance->past_run();
        writer.member_int("startedUSec", wall_usec(host, past.began));
        writer.member_int("endedUSec", wall_usec(host, past.ended));
        writer.member("cause", past.end_cause).member_bool("failed", past.failed);
    }
    writer.end_object();
}

void write_schedule(json::Writer& writer, const Job& job, const HostPort& host) {
    const auto& schedule = job.spec->schedule;
    writer.begin_object().member("job", job.spec->name).member("schedule", to_text(schedule));
    writer.member("overlap", word_of(schedule.overlap)).member("missed", word_of(schedule.missed));
    writer.member_bool("enabled", job.timetable != nullptr);
    if (const auto* timetable = job.timetable.get(); timetable != nullptr && timetable->due() != kNever) {
        writer.member_int("nextUSec", usec(timetable->moment()));
        writer.member_int("dueUSec", wall_usec(host, timetable->due()));
        if (timetable->makes_up()) writer.member_bool("makesUp", true);
    }
    if (!job.queued.empty()) writer.member_bool("queued", true);
    if (!job.schedule_told.empty()) writer.member("told", job.schedule_told);
    const bool off = std::all_of(job.instances.begin(), job.instances.end(),
                                 [](const auto& instance) { return instance->stopped_by_order(); });
    if (off) writer.member_bool("stopped", true);
    write_last(writer, job, host);
    writer.end_object();
}

}  // namespace

std::string schedule_text(const Supervisor& supervisor, const Instance& instance, TimePoint now) {
    const auto job = supervisor.jobs().find(instance.name().job);
    if (job == supervisor.jobs().end() || !job->second.spec->schedule.is_declared()) return {};
    auto text = to_text(job->second.spec->schedule);
    const auto* timetable = job->second.timetable.get();
    if (timetable == nullptr) return text + "; not in force: enabled = false";
    const auto next = moment_text(timetable->schedule(), std::chrono::floor<std::chrono::seconds>(timetable->moment()));
    if (instance.stopped_by_order()) {
        return text +
               "; not in force: it was stopped by order; procsupctl start runs it and lets the schedule go on, "
               "procsupctl "
               "reset only does that";
    }
    if (timetable->due() == kNever) {
        text += "; no run is due within 30 years";
    } else {
        text += (timetable->makes_up() ? "; makes up for the run of " : "; next run ") + next + ", in " +
                rest_text(timetable->due(), now);
    }
    const auto& told = job->second.schedule_told;
    return told.empty() ? text : text + "; " + told;
}

void schedules(const ControlContext& context, varlink::PendingCall call) {
    const auto instances = selected_or_all(context, call);
    if (!instances) return;
    std::set<std::string_view> jobs;
    for (const auto* instance : *instances) jobs.insert(instance->name().job);
    json::Writer writer;
    writer.begin_object().key("schedules").begin_array();
    for (const auto name : jobs) {
        const auto job = context.supervisor.jobs().find(name);
        const bool has_one = job != context.supervisor.jobs().end() && job->second.spec->schedule.is_declared();
        if (has_one) write_schedule(writer, job->second, context.host);
    }
    call.reply(writer.end_array().end_object().text());
}

}  // namespace procsup
