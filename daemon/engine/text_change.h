#pragma once

#include "conf/job_difference.h"
#include "daemon/engine/configuration_change.h"
#include "daemon/engine/job.h"

namespace procsup {

/// When an instance comes to another text of its job.
enum class Takes { Now, ByRestart, AtNextStart };

struct TextChange {
    Takes takes = Takes::Now;
    JobDifference keys;  ///< in which the text is news to it
};

/// How `instance`, which is to be called `name`, comes to the text `now`.
TextChange text_change(const Instance& instance, const InstanceName& name, const JobSpec& now, Restarts restarts);

/// Whether nothing becomes of `instance` by the text `now`.
bool has_text(const Instance& instance, const JobSpec& now, Restarts restarts);

/// Whether instances that `job` gets by the text `now` are started: not where it was stopped.
bool starts_added(const Job& job, const JobSpec& now);

}  // namespace procsup
