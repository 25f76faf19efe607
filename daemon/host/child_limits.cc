#include "daemon/host/child_limits.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>

#include "common/raw_syscall.h"
#include "daemon/host/io_priority.h"

namespace procsup {
namespace {

long get_limit(int resource, rlimit& out) { return raw_syscall(SYS_prlimit64, 0, resource, nullptr, &out); }
long put_limit(int resource, const rlimit& in) { return raw_syscall(SYS_prlimit64, 0, resource, &in, nullptr); }

void note_unmet(ChildPlan& plan, unsigned bit) { plan.unmet |= 1u << bit; }

/// A limit above the hard one needs CAP_SYS_RESOURCE; unless the job is strict it gets what is to be had.
Step set_limit(ChildPlan& plan, const ChildPlan::Limit& limit) {
    rlimit wanted = limit.value;
    long result = put_limit(limit.resource, wanted);
    if (result == -EPERM && !plan.strict_limits) {
        rlimit current{};
        get_limit(limit.resource, current);
        if (wanted.rlim_max > current.rlim_max) wanted.rlim_max = current.rlim_max;
        if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
        note_unmet(plan, static_cast<unsigned>(limit.resource));
        result = put_limit(limit.resource, wanted);
    }
    return result < 0 ? Step{SpawnStage::Limits, -result, limit.resource} : Step{};
}

const ChildPlan::Limit* limit_of(const ChildPlan& plan, int resource) {
    for (std::size_t i = 0; i < plan.limit_count; ++i) {
        if (plan.limits[i].resource == resource) return &plan.limits[i];
    }
    return nullptr;
}

/// Who lacks CAP_SYS_NICE may go as far as the soft limit, which may go as far as the hard one: the daemon's, or the job's where
/// that can be raised. Returns what it was.
rlimit widen(const ChildPlan& plan, int resource) {
    rlimit before{};
    get_limit(resource, before);
    const auto* own = limit_of(plan, resource);
    if (own != nullptr && own->value.rlim_max > before.rlim_max) {
        const rlimit wide{own->value.rlim_max, own->value.rlim_max};
        if (put_limit(resource, wide) == 0) return before;
    }
    const rlimit wide{before.rlim_max, before.rlim_max};
    put_limit(resource, wide);
    return before;
}

Step set_scheduling(ChildPlan& plan) {
    if (plan.policy < 0) return {};
    sched_param parameter{};
    parameter.sched_priority = plan.realtime_priority;
    const auto attempt = [&] { return raw_syscall(SYS_sched_setscheduler, 0, plan.policy, &parameter); };
    long result = attempt();
    if (result >= 0 || plan.strict_limits) return check(SpawnStage::Scheduling, result);
    note_unmet(plan, kUnmetScheduling);
    while (result == -EPERM && --parameter.sched_priority > 0) result = attempt();
    return {};
}

Step set_nice(ChildPlan& plan) {
    if (!plan.set_nice) return {};
    int nice = plan.nice;
    long result = raw_syscall(SYS_setpriority, PRIO_PROCESS, 0, nice);
    if (result >= 0 || plan.strict_limits) return check(SpawnStage::Nice, result);
    note_unmet(plan, kUnmetNice);
    constexpr int kMostNice = 19;
    while (result < 0 && ++nice <= kMostNice) result = raw_syscall(SYS_setpriority, PRIO_PROCESS, 0, nice);
    return {};
}

Step set_io_priority(ChildPlan& plan) {
    if (plan.io_priority < 0) return {};
    const long result = raw_syscall(SYS_ioprio_set, ioprio::kProcess, 0, plan.io_priority);
    if (result >= 0 || plan.strict_limits) return check(SpawnStage::IoPriority, result);
    note_unmet(plan, kUnmetIoPriority);
    raw_syscall(SYS_ioprio_set, ioprio::kProcess, 0, ioprio::value(ioprio::kBestEffort, 0));
    return {};
}

/// The kernel leaves out what the cpuset does not have, and says nothing while one CPU is left.
long give_cpus(ChildPlan& plan) {
    const std::size_t word = sizeof(plan.cpus[0]);
    const long result = raw_syscall(SYS_sched_setaffinity, 0, plan.cpu_words * word, plan.cpus);
    if (result < 0) return result;
    const long size = raw_syscall(SYS_sched_getaffinity, 0, sizeof(plan.cpus_given), plan.cpus_given);
    if (size < 0) return size;
    const std::size_t given = static_cast<std::size_t>(size) / word;
    for (std::size_t i = 0; i < plan.cpu_words; ++i) {
        if ((plan.cpus[i] & ~(i < given ? plan.cpus_given[i] : 0)) != 0) return -EINVAL;
    }
    return 0;
}

Step set_cpus(ChildPlan& plan) {
    if (plan.cpu_words == 0) return {};
    const long result = give_cpus(plan);
    if (result >= 0 || plan.strict_limits) return check(SpawnStage::CpuAffinity, result);
    note_unmet(plan, kUnmetCpuAffinity);
    return {};
}

}  // namespace

Step set_oom_score(ChildPlan& plan) {
    if (plan.oom_score_length == 0) return {};
    const long fd = raw_syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
    const long result = fd < 0 ? fd : raw_syscall(SYS_write, fd, plan.oom_score, plan.oom_score_length);
    if (fd >= 0) raw_syscall(SYS_close, fd);
    if (result >= 0 || plan.strict_limits) return check(SpawnStage::OomScore, result);
    note_unmet(plan, kUnmetOomScore);
    return {};
}

Step set_priorities(ChildPlan& plan) {
    if (plan.drop_realtime) {
        const sched_param none{};
        const long dropped = raw_syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
        if (dropped < 0) return check(SpawnStage::Scheduling, dropped);
        raw_syscall(SYS_prctl, PR_SET_TIMERSLACK, plan.timer_slack, 0, 0, 0);
    }
    rlimit realtime{}, nice{};
    if (plan.policy >= 0) realtime = widen(plan, RLIMIT_RTPRIO);
    if (plan.set_nice) nice = widen(plan, RLIMIT_NICE);
    Step step = set_scheduling(plan);
    if (!step.failed()) step = set_nice(plan);
    if (!step.failed()) step = set_io_priority(plan);
    if (!step.failed()) step = set_cpus(plan);
    if (plan.policy >= 0) put_limit(RLIMIT_RTPRIO, realtime);
    if (plan.set_nice) put_limit(RLIMIT_NICE, nice);
    return step;
}

Step set_limits(ChildPlan& plan) {
    for (std::size_t i = 0; i < plan.limit_count; ++i) {
        const auto& limit = plan.limits[i];
        if (limit.resource == RLIMIT_NOFILE) {
            rlimit current{};
            get_limit(RLIMIT_NOFILE, current);
            if (limit.value.rlim_max <= current.rlim_max) continue;
        }
        if (const Step step = set_limit(plan, limit); step.failed()) return step;
    }
    return {};
}

Step set_open_files(ChildPlan& plan) {
    const auto* limit = limit_of(plan, RLIMIT_NOFILE);
    if (limit != nullptr) return set_limit(plan, *limit);
    put_limit(RLIMIT_NOFILE, plan.open_files);
    return {};
}

}  // namespace procsup
