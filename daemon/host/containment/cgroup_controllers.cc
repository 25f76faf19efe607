#include "daemon/host/containment/cgroup_controllers.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "daemon/host/containment/cgroup_files.h"

namespace procsup {
namespace {

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(" \n"), list.size());
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

/// Controllers and processes exclude each other but in the root of all groups, which is the only one without a type.
bool others_are_in(int group) {
    if (faccessat(group, "cgroup.type", F_OK, 0) < 0) return false;
    const auto members = read_cgroup_file(group, "cgroup.procs");
    return !members.empty() && members != std::to_string(getpid()) + "\n";
}

/// bfq has a file of its own, and weights up to 1000; 100 is the usual one in both (as systemd.resource-control(5) has it).
std::uint64_t bfq_weight(std::uint64_t weight) {
    return weight <= 100 ? weight : 100 + (weight - 100) * (1000 - 100) / (10000 - 100);
}

/// An error, or 0.
int put_limit(int group, const TreeLimit& limit) {
    const int error = write_cgroup_file(group, row_of(limit.kind).file, kernel_text(limit));
    if (limit.kind == TreeLimit::Kind::MemoryMax) write_cgroup_file(group, "memory.oom.group", "1");
    if (limit.kind != TreeLimit::Kind::IoWeight) return error;
    const int bfq = write_cgroup_file(group, "io.bfq.weight", std::to_string(bfq_weight(limit.value)));
    return error == 0 || bfq == 0 ? 0 : error;
}

/// Of so many processes at most each is looked at.
constexpr std::uint64_t kMostLookedAt = 32;

/// The sum over lines of pids; zombies have none.
std::uint64_t resident_memory(std::string_view members) {
    static const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    std::uint64_t sum = 0;
    while (!members.empty()) {
        const auto pid = members.substr(0, members.find('\n'));
        // "size resident shared …", in pages.
        const auto sizes = read_cgroup_file(AT_FDCWD, "/proc/" + std::string(pid) + "/statm");
        const auto resident = sizes.find(' ') + 1;
        sum += number_in(std::string_view(sizes).substr(resident, sizes.find(' ', resident) - resident)).value_or(0) *
               page;
        members.remove_prefix(std::min(pid.size() + 1, members.size()));
    }
    return sum;
}

}  // namespace

ControllerFaults controller_faults(int own) {
    ControllerFaults faults;
    const auto offered = read_cgroup_file(own, "cgroup.controllers");
    const auto enabled = read_cgroup_file(own, "cgroup.subtree_control");
    const int denied = faccessat(own, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0 ? errno : 0;
    for (std::size_t i = 0; i < kControllerNames.size(); ++i) {
        const std::string name(kControllerNames[i]);
        if (!has_word(offered, name)) {
            faults[i] = "the " + name + " controller is not delegated to procsupd";
        } else if (has_word(enabled, name)) {
            continue;
        } else if (denied != 0) {
            faults[i] = "procsupd may not enable the " + name + " controller: " + strerrordesc_np(denied);
        } else if (others_are_in(own)) {
            faults[i] = "the " + name + " controller cannot be enabled: other processes are in procsupd's cgroup";
        }
    }
    return faults;
}

Result<void> enable_controller(int groups, Controller controller) {
    const std::string name(kControllerNames[static_cast<std::size_t>(controller)]);
    for (const char* file : {"../cgroup.subtree_control", "cgroup.subtree_control"}) {
        if (has_word(read_cgroup_file(groups, file), name)) continue;
        if (const int error = write_cgroup_file(groups, file, "+" + name); error != 0) {
            return os_failure("enable the " + name + " controller", error);
        }
    }
    return {};
}

std::vector<std::pair<Key, int>> put_limits(int group, const std::vector<TreeLimit>& limits, ControllerSet enabled) {
    std::vector<std::pair<Key, int>> refused;
    for (const auto& limit : limits) {
        const auto& row = row_of(limit.kind);
        if ((enabled & bit_of(row.controller)) == 0) continue;
        if (const int error = put_limit(group, limit); error != 0) refused.emplace_back(row.key, error);
    }
    return refused;
}

OomKills read_oom_kills(int groups, const std::string& group) {
    OomKills kills;
    kills.count = number_behind(read_cgroup_file(groups, group + "/memory.events"), "oom_kill").value_or(0);
    // Without .local it would be of groups that the job has made below, too.
    if (kills.count > 0) {
        kills.by_limit = number_behind(read_cgroup_file(groups, group + "/memory.events.local"), "oom").value_or(0) > 0;
    }
    return kills;
}

std::optional<Duration> read_cpu_time(int groups, const std::string& group) {
    const auto used = number_behind(read_cgroup_file(groups, group + "/cpu.stat"), "usage_usec");
    return used ? std::optional(Duration(static_cast<std::int64_t>(*used))) : std::nullopt;
}

TreeUsage read_usage(int groups, const std::string& group, ControllerSet enabled) {
    const auto number = [&](const char* file) { return number_in(read_cgroup_file(groups, group + "/" + file)); };
    TreeUsage usage;
    usage.cpu = read_cpu_time(groups, group);
    if ((enabled & bit_of(Controller::Memory)) != 0) {
        usage.memory = number("memory.current");
        usage.memory_peak = number("memory.peak");
    }
    if ((enabled & bit_of(Controller::Pids)) != 0) usage.tasks = number("pids.current");
    return usage;
}

std::uint64_t read_droppable_memory(int groups, const std::string& group) {
    return number_behind(read_cgroup_file(groups, group + "/memory.stat"), "inactive_file").value_or(0);
}

void add_usage_of_few(int groups, const std::string& group, TreeUsage& usage) {
    struct stat found {};
    // Groups below are links of a directory.
    if (fstatat(groups, group.c_str(), &found, 0) < 0 || found.st_nlink > 2) return;
    const auto lines = [](const std::string& text) {
        return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    };
    const auto members = read_cgroup_file(groups, group + "/cgroup.procs");
    if (lines(members) > kMostLookedAt) return;
    if (!usage.tasks) {
        const auto threads = read_cgroup_file(groups, group + "/cgroup.threads");
        if (threads.size() < kMostRead) usage.tasks = lines(threads);
    }
    if (!usage.memory) usage.memory = resident_memory(members);
}

}  // namespace procsup
