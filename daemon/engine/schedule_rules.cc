// The supervisor's rules for schedules: when tasks are started, and what becomes of runs that cannot be.
#include <algorithm>
#include <utility>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

bool has_schedule(const Job& job) {
    return job.spec->schedule.is_declared() && job.spec->enabled && !job.leaving && !job.transient;
}

std::string text_of(const Timetable& timetable, WallTime moment) {
    return moment_text(timetable.schedule(), std::chrono::floor<std::chrono::seconds>(moment));
}

/// Why the run is started that is due.
std::string cause_of(const Timetable& timetable) {
    const auto moment = text_of(timetable, timetable.moment());
    if (timetable.makes_up()) return "makes up for its run of " + moment + ", which was missed";
    const auto& schedule = timetable.schedule();
    return schedule.cron.empty() ? "its interval of " + to_text(schedule.interval) + " has passed"
                                 : "scheduled for " + moment;
}

}  // namespace

void Supervisor::clocks_set(const Clocks& clocks, TimePoint now) {
    const auto before = std::exchange(clocks_, clocks);
    for (auto& [name, job] : jobs_) {
        if (!job.timetable) continue;
        const auto due = job.timetable->due();
        job.timetable->clocks_set(before, clocks_, now, random_);
        note_due(job, due);
        tell_schedule(job, ScheduleNews::Kind::Begun, {});
    }
    arm_schedule(now);
}

void Supervisor::renew_timetables(TimePoint now) {
    for (auto& [name, job] : jobs_) renew_timetable(job, now);
    arm_schedule(now);
}

/// Another schedule begins anew: what it would have been due for before is nothing that was missed.
void Supervisor::renew_timetable(Job& job, TimePoint now) {
    if (!has_schedule(job)) {
        if (job.timetable) announcer_.scheduled({ScheduleNews::Kind::Dropped, job.spec->name, {}, 0});
        return drop_timetable(job);
    }
    const auto& schedule = job.spec->schedule;
    if (job.timetable && job.timetable->schedule() == schedule) return;
    const auto known = job.timetable ? 0 : job.spec->remembered.dealt;
    drop_timetable(job);
    job.timetable = std::make_unique<Timetable>(schedule, known, clocks_, now, random_);
    note_due(job, kNever);
    tell_schedule(job, ScheduleNews::Kind::Begun, {});
}

void Supervisor::drop_timetable(Job& job) {
    if (!job.timetable) return;
    due_.erase({job.timetable->due(), job.spec->name});
    job.timetable.reset();
    job.queued.clear();
    job.schedule_told.clear();
}

void Supervisor::note_due(const Job& job, TimePoint before) {
    due_.erase({before, job.spec->name});
    if (job.timetable->due() != kNever) due_.emplace(job.timetable->due(), job.spec->name);
}

void Supervisor::arm_schedule(TimePoint now) {
    const auto first = due_.empty() ? kNever : std::max(now, due_.begin()->first);
    if (first == schedule_armed_) return;
    // No instance has this number: the timer is one for all.
    constexpr InstanceId kAll = 0;
    if (schedule_armed_ != kNever) timers_.disarm(kAll, TimerKind::Schedule);
    schedule_armed_ = first;
    if (++schedule_generation_ == 0) ++schedule_generation_;
    if (first != kNever) timers_.arm(kAll, TimerKind::Schedule, schedule_generation_, first);
}

void Supervisor::schedule_timer_fired(std::uint32_t generation, TimePoint now) {
    if (generation != schedule_generation_) return;
    schedule_armed_ = kNever;
    std::vector<std::string> names;
    for (const auto& [when, name] : due_) {
        if (when > now) break;
        names.push_back(name);
    }
    for (const auto& name : names) run_scheduled(jobs_.at(name), now);
    arm_schedule(now);
}

/// Says what was left out meanwhile, too.
void Supervisor::tell_schedule(Job& job, ScheduleNews::Kind kind, std::string text) {
    const auto dealt = job.timetable->dealt();
    if (const auto moment = job.timetable->take_left_out()) {
        job.schedule_told = "the run of " + text_of(*job.timetable, *moment) + " was missed, and is left out";
        announcer_.scheduled({ScheduleNews::Kind::LeftOut, job.spec->name, job.schedule_told, dealt});
    }
    if (!text.empty()) job.schedule_told = std::move(text);
    announcer_.scheduled({kind, job.spec->name, job.schedule_told, dealt});
}

void Supervisor::run_scheduled(Job& job, TimePoint now) {
    auto& timetable = *job.timetable;
    const auto before = timetable.due();
    const auto cause = cause_of(timetable);
    const auto run = "the run of " + text_of(timetable, timetable.moment());
    const bool runs = timetable.take(clocks_, now, random_);
    note_due(job, before);
    if (!runs) return tell_schedule(job, ScheduleNews::Kind::Begun, {});
    std::vector<InstanceId> to_start, to_replace;
    auto kind = ScheduleNews::Kind::Begun;
    std::string why;
    for (const auto& instance : job.instances) {
        if (instance->stopped_by_order()) continue;
        if (is_settled(instance->state())) {
            if (kind == ScheduleNews::Kind::Begun) kind = ScheduleNews::Kind::Started;
            to_start.push_back(instance->id());
        } else if (timetable.schedule().overlap == Schedule::Overlap::Replace) {
            if (kind == ScheduleNews::Kind::Begun) kind = ScheduleNews::Kind::Started;
            to_replace.push_back(instance->id());
        } else if (timetable.schedule().overlap == Schedule::Overlap::Queue) {
            kind = ScheduleNews::Kind::Queued;
            why = run + " waits until the one before is over";
            if (std::find(job.queued.begin(), job.queued.end(), instance->id()) == job.queued.end())
                job.queued.push_back(instance->id());
        } else {
            kind = ScheduleNews::Kind::LeftOut;
            why = run + " is left out: the one before is not over (" + std::string(to_text(instance->state())) + ")";
        }
    }
    job.schedule_told.clear();
    tell_schedule(job, kind, std::move(why));
    start(to_start, cause, now, OnBehalf::nobody());
    if (!to_replace.empty()) restart(to_replace, cause, now, OnBehalf::nobody());
}

TimePoint Supervisor::next_run(const Instance& instance) const {
    const auto* job = job_of(instance);
    const bool waits = job != nullptr && job->timetable && is_settled(instance.state()) && !instance.stopped_by_order();
    return waits ? job->timetable->due() : kNever;
}

/// The run before may be over for which another one has waited.
void Supervisor::settle_schedule(const Instance& changed, TimePoint now) {
    auto* job = job_of(changed);
    if (job == nullptr || job->queued.empty()) return;
    const auto queued = std::find(job->queued.begin(), job->queued.end(), changed.id());
    if (queued == job->queued.end()) return;
    const bool given_up = changed.stopped_by_order() || changed.left() || !job->timetable;
    if (!given_up && !is_settled(changed.state())) return;
    job->queued.erase(queued);
    if (given_up || shutting_down_) return;
    job->schedule_told.clear();
    start(std::vector{changed.id()}, "was due while the run before was not over", now, OnBehalf::nobody());
}

}  // namespace procsup
