#include "daemon/host/abilities.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>

#include "common/fd.h"
#include "daemon/host/containment/cgroup_root.h"
#include "daemon/host/io_priority.h"
#include "daemon/host/sandbox_abilities.h"

namespace procsup {
namespace {

std::optional<std::int64_t> number_in(const char* path) {
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    char text[32];
    const ssize_t size = file ? read(file.get(), text, sizeof(text)) : -1;
    std::int64_t number = 0;
    if (size <= 0 || std::from_chars(text, text + size, number).ec != std::errc()) return std::nullopt;
    return number;
}

bool put_oom_score(int score) {
    const Fd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    const auto text = std::to_string(score);
    return file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::uint64_t effective_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (syscall(SYS_capget, &header, data) < 0) return 0;
    return data[0].effective | std::uint64_t{data[1].effective} << 32;
}

/// Whether a hard limit can be raised: tried with one that is not the highest.
bool can_raise_limits(const Abilities& abilities) {
    for (const auto& row : kResourceLimits) {
        rlimit now{};
        if (getrlimit(row.resource, &now) < 0 || now.rlim_max == RLIM_INFINITY) continue;
        if (row.resource == RLIMIT_NOFILE && now.rlim_max >= abilities.most_open_files) continue;
        const rlimit more{now.rlim_cur, now.rlim_max + 1};
        if (setrlimit(row.resource, &more) < 0) return false;
        setrlimit(row.resource, &now);
        return true;
    }
    return (abilities.capabilities >> CAP_SYS_RESOURCE & 1) != 0;
}

/// Lets the soft limit be as high as the hard one, as a child does before it sets its priority; it is put back at the end.
class Widened {
public:
    explicit Widened(int resource) : resource_(resource) {
        getrlimit(resource_, &before_);
        const rlimit wide{before_.rlim_max, before_.rlim_max};
        setrlimit(resource_, &wide);
    }
    ~Widened() { setrlimit(resource_, &before_); }
    Widened(const Widened&) = delete;
    Widened& operator=(const Widened&) = delete;

    rlim_t hard() const { return before_.rlim_max; }

private:
    int resource_;
    rlimit before_{};
};

int find_least_nice() {
    const Widened limit(RLIMIT_NICE);
    errno = 0;
    const int now = getpriority(PRIO_PROCESS, 0);
    if (errno != 0) return 0;
    constexpr int kLeast = -20;
    if (setpriority(PRIO_PROCESS, 0, kLeast) == 0) {
        setpriority(PRIO_PROCESS, 0, now);
        return kLeast;
    }
    return std::min(now, nice_of_limit(limit.hard()));
}

int find_most_realtime() {
    constexpr int kMost = 99;
    const Widened limit(RLIMIT_RTPRIO);
    const int policy = sched_getscheduler(0);
    sched_param before{};
    if (policy < 0 || sched_getparam(0, &before) < 0) return 0;
    for (const int priority : {kMost, static_cast<int>(std::min<rlim_t>(limit.hard(), kMost))}) {
        sched_param tried{};
        tried.sched_priority = priority;
        if (priority == 0 || sched_setscheduler(0, SCHED_RR, &tried) < 0) continue;
        sched_setscheduler(0, policy, &before);
        return priority;
    }
    return 0;
}

bool can_do_realtime_io() {
    const long before = syscall(SYS_ioprio_get, ioprio::kProcess, 0);
    constexpr int kLast = 7;
    if (before < 0) return false;
    if (syscall(SYS_ioprio_set, ioprio::kProcess, 0, ioprio::value(ioprio::kRealtime, kLast)) < 0) return false;
    // Of who has no class of its own some kernels tell a level, which they do not take.
    const long none = ioprio::has_class(before) ? before : 0;
    syscall(SYS_ioprio_set, ioprio::kProcess, 0, none);
    return true;
}

/// Who may not lower the score may still return to what a privileged process had once set, which nothing tells but trying.
int find_least_oom_score(bool privileged) {
    constexpr int kLeast = -1000;
    if (privileged) return kLeast;  // trying would make it the least for all children
    const auto now = number_in("/proc/self/oom_score_adj");
    if (!now) return 0;
    int refused = kLeast - 1, permitted = static_cast<int>(*now);
    while (permitted - refused > 1) {
        const int middle = refused + (permitted - refused) / 2;
        (put_oom_score(middle) ? permitted : refused) = middle;
    }
    put_oom_score(static_cast<int>(*now));
    return permitted;
}

std::vector<int> find_cpus() {
    constexpr std::size_t kWords = kMostCpus / 64;
    std::uint64_t own[kWords] = {}, all[kWords] = {}, usable[kWords] = {};
    std::vector<int> cpus;
    if (syscall(SYS_sched_getaffinity, 0, sizeof(own), own) < 0) return cpus;
    std::fill(std::begin(all), std::end(all), ~std::uint64_t{0});
    // What is not in the cpuset is left out of it. Put back only if it was less: who has set CPUs by hand gets no further ones when
    // the cpuset grows.
    if (syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0) std::copy(std::begin(own), std::end(own), all);
    syscall(SYS_sched_getaffinity, 0, sizeof(usable), usable);
    if (!std::equal(std::begin(own), std::end(own), usable)) {
        syscall(SYS_sched_setaffinity, 0, sizeof(own), own);
    }
    for (int cpu = 0; cpu < kMostCpus; ++cpu) {
        if ((usable[cpu / 64] >> (cpu % 64) & 1) != 0) cpus.push_back(cpu);
    }
    return cpus;
}

/// user_namespaces(7).
bool is_first_root() {
    std::ifstream map("/proc/self/uid_map");
    std::uint64_t inside = 1, outside = 1, count = 0;
    map >> inside >> outside >> count;
    return geteuid() == 0 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

}  // namespace

Abilities gather_abilities() {
    Abilities abilities;
    abilities.capabilities = effective_capabilities();
    for (std::size_t i = 0; i < kResourceLimits.size(); ++i) {
        rlimit limit{};
        if (getrlimit(kResourceLimits[i].resource, &limit) == 0) abilities.hard_limits[i] = limit.rlim_max;
    }
    if (const auto most = number_in("/proc/sys/fs/nr_open")) abilities.most_open_files = static_cast<rlim_t>(*most);
    abilities.raises_limits = can_raise_limits(abilities);
    abilities.is_root = is_first_root();
    abilities.least_nice = find_least_nice();
    abilities.most_realtime = find_most_realtime();
    abilities.realtime_io = can_do_realtime_io();
    abilities.least_oom_score = find_least_oom_score(abilities.raises_limits);
    abilities.cpus = find_cpus();
    const bool mounts = (abilities.capabilities >> CAP_SYS_ADMIN & 1) != 0;
    abilities.mounts_error = mounts ? find_mounts_error() : EPERM;
    abilities.landlock = find_landlock();
    return abilities;
}

Abilities abilities_here() {
    auto abilities = gather_abilities();
    abilities.controller_faults = CgroupRoot::controller_faults_here();
    return abilities;
}

}  // namespace procsup
