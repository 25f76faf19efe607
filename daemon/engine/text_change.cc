#include "daemon/engine/text_change.h"

#include <algorithm>

namespace procsup {
namespace {

/// Of one that needs a start for it.
Takes when_it_starts(const Instance& instance, Restarts restarts) {
    const bool now = restarts == Restarts::Now;
    switch (instance.state()) {
        case State::Stopped:
        case State::Exited:
        case State::Waiting: return Takes::Now;
        // It has failed, or fails again and again, with a text that is no longer in force.
        case State::Failed: return now && instance.wanted() ? Takes::ByRestart : Takes::Now;
        case State::Listening:
        case State::Backoff: return now ? Takes::ByRestart : Takes::Now;
        case State::Starting:
        case State::Running:
        case State::Reloading:
        case State::Paused: return now ? Takes::ByRestart : Takes::AtNextStart;
        case State::Stopping: return now && instance.may_be_mended() ? Takes::ByRestart : Takes::AtNextStart;
    }
    return Takes::AtNextStart;
}

/// What comes by its schedule is not begun anew because its text is another one, and no run of it is cut off.
Restarts restarts_for(const Instance& instance, const JobSpec& now, Restarts restarts) {
    const bool is_task = instance.spec().type == JobType::Task && now.type == JobType::Task;
    return is_task ? Restarts::Later : restarts;
}

/// It has its newest text already, but has failed with one before.
bool mended_by(const Instance& instance, const JobSpec& now, Restarts restarts) {
    return restarts == Restarts::Now && instance.wanted() && instance.failed_with_other_than(now);
}

}  // namespace

bool has_text(const Instance& instance, const JobSpec& now, Restarts restarts) {
    return &instance.spec() == &now && !mended_by(instance, now, restarts_for(instance, now, restarts));
}

TextChange text_change(const Instance& instance, const InstanceName& name, const JobSpec& now, Restarts restarts) {
    TextChange change;
    restarts = restarts_for(instance, now, restarts);
    const bool mends = mended_by(instance, now, restarts);
    change.keys = difference(mends ? *instance.run_spec() : instance.spec(), now);
    const bool moved = instance.name().index != name.index;
    if (moved) change.keys.at_start.push_back("instances");
    if (moved || change.keys.needs_restart()) change.takes = when_it_starts(instance, restarts);
    // What it will have anyway is no news.
    if (change.takes == Takes::AtNextStart) change.keys = difference(instance.next_spec(), now);
    return change;
}

bool starts_added(const Job& job, const JobSpec& now) {
    const bool wanted = std::any_of(job.instances.begin(), job.instances.end(),
                                    [](const auto& instance) { return instance->wanted(); });
    return now.enabled && now.type != JobType::Task && (wanted || job.leaving);
}

}  // namespace procsup
