#include "daemon/host/containment/cgroup_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "daemon/host/child.h"
#include "daemon/host/containment/cgroup_controllers.h"
#include "daemon/host/containment/cgroup_files.h"

namespace procsup {
namespace {

/// \040 and the like in a field of mountinfo (proc(5)).
std::string unescaped(const std::string& field) {
    std::string text;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            text += static_cast<char>(strtol(field.substr(i + 1, 3).c_str(), nullptr, 8));
            i += 3;
        } else {
            text += field[i];
        }
    }
    return text;
}

std::string joined(const std::string& directory, const std::string& name) {
    return (directory.ends_with('/') ? directory : directory + "/") + name;
}

struct Mount {
    std::string root;   ///< the group that is mounted
    std::string point;  ///< where
};

/// The unified hierarchy is at /sys/fs/cgroup, or below it beside those of version 1.
std::optional<Mount> find_mount() {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        const auto separator = line.find(" - ");
        if (separator == std::string::npos || line.compare(separator + 3, 8, "cgroup2 ") != 0) continue;
        std::istringstream fields(line);
        std::string skipped, root, point;
        fields >> skipped >> skipped >> skipped >> root >> point;
        return Mount{unescaped(root), unescaped(point)};
    }
    return std::nullopt;
}

/// The line "0::/path" is the unified hierarchy's (cgroups(7)).
std::optional<std::string> cgroup_of(const std::string& process) {
    const Fd file(open(("/proc/" + process + "/cgroup").c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 8192> text;
    const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
    if (size <= 0) return std::nullopt;
    const std::string_view all(text.data(), static_cast<std::size_t>(size));
    auto begin = all.starts_with("0::") ? 0 : all.find("\n0::");
    if (begin == std::string_view::npos) return std::nullopt;
    begin = all.find("::", begin) + 2;
    return std::string(all.substr(begin, all.find('\n', begin) - begin));
}

bool is_delegated(const std::string& path) {
    char value[2] = {};
    for (const char* name : {"trusted.delegate", "user.delegate"}) {
        if (getxattr(path.c_str(), name, value, sizeof value) == 1 && value[0] == '1') return true;
    }
    return false;
}

std::vector<std::string> groups_in(int directory) {
    std::vector<std::string> names;
    const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return names;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(copy), &closedir);
    while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    return names;
}

/// Groups that a process made in its own are followed down to here.
constexpr int kDeepest = 64;

void remove_group(int directory, const std::string& name, int depth = 0) {
    if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT || depth == kDeepest) return;
    const Fd group(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!group) return;
    for (const auto& below : groups_in(group.get())) remove_group(group.get(), below, depth + 1);
    unlinkat(directory, name.c_str(), AT_REMOVEDIR);
}

/// A pid that was read may be another's by now; one that a pidfd holds and that is in the group is not.
void signal_member(pid_t pid, const std::string& group, int signal) {
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process) return;
    const auto now = cgroup_of(std::to_string(pid));
    if (!now || (*now != group && !now->starts_with(group + "/"))) return;
    syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

void signal_below(int directory, const std::string& group, int signal, int depth) {
    std::ifstream members(fmt::format("/proc/self/fd/{}/cgroup.procs", directory));
    for (pid_t pid = 0; members >> pid;) signal_member(pid, group, signal);
    if (depth == kDeepest) return;
    for (const auto& name : groups_in(directory)) {
        const Fd below(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (below) signal_below(below.get(), joined(group, name), signal, depth + 1);
    }
}

/// "/run/procsupd" as one name, which no other directory has.
std::string name_for(std::string_view directory) {
    std::string name = "procsupd";
    for (const char c : directory) {
        if (c == '/') {
            name += '-';
        } else if (c == '-' || c == '%') {
            name += fmt::format("%{:02x}", static_cast<unsigned>(c));
        } else {
            name += c;
        }
    }
    constexpr std::size_t kLongest = 200;
    if (name.size() > kLongest) name = fmt::format("procsupd-{:016x}", std::hash<std::string_view>{}(directory));
    return name;
}

Result<Fd> make_directory(const std::string& path) {
    if (mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) return os_failure("make " + path, errno);
    Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) directory.reset(fcntl(directory.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!directory) return os_failure("open " + path, errno);
    return directory;
}

/// Processes and controllers for the groups below exclude each other in one group (cgroups(7), "no internal processes").
Result<void> move_aside(const std::string& own) {
    const auto leaf = make_directory(joined(own, "supervisor"));
    if (!leaf) return leaf.error();
    const int error = write_cgroup_file(leaf->get(), "cgroup.procs", "0");
    return error == 0 ? Result<void>() : os_failure("move to " + own + "/supervisor", error);
}

/// Whether it is worth while: nobody else is in the group, so that controllers can be enabled below.
bool is_alone_with_controllers(const std::string& own) {
    const Fd group(open(own.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const bool is_root = faccessat(group.get(), "cgroup.type", F_OK, 0) < 0;
    return !is_root && read_cgroup_file(group.get(), "cgroup.procs") == std::to_string(getpid()) + "\n" &&
           read_cgroup_file(group.get(), "cgroup.controllers").size() > 1;
}

/// The file system path of the daemon's own group `own`.
Result<std::string> find_own(const std::string& own) {
    const auto mount = find_mount();
    if (!mount) return Error{"no cgroup v2 file system is mounted"};
    const auto root = mount->root == "/" ? std::string() : mount->root;
    if (!own.starts_with(root) || own.find("/..") != std::string::npos) {
        return Error{"the daemon's own cgroup " + own + " is outside of what is mounted at " + mount->point};
    }
    return mount->point + own.substr(root.size());
}

/// Whether a process can be made in a new group, and lives: there are rights, kinds of groups and kernels with which it
/// cannot.
Result<void> try_clone(int directory) {
    constexpr const char* kProbe = "probe";
    mkdirat(directory, kProbe, 0755);
    const Fd group(openat(directory, kProbe, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!group) return os_failure("make a cgroup", errno);
    alignas(16) char stack[4096];
    clone_args args{};
    args.flags = CLONE_VM | CLONE_VFORK | CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uint64_t>(stack);
    args.stack_size = sizeof(stack);
    args.cgroup = static_cast<std::uint64_t>(group.get());
    const long pid = procsup_clone3(
        &args, sizeof(args), [](void*) { return 0; }, nullptr);
    siginfo_t info{};
    if (pid > 0) waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED);
    unlinkat(directory, kProbe, AT_REMOVEDIR);
    if (pid < 0) return os_failure("make a process in a cgroup", static_cast<int>(-pid));
    if (info.si_code != CLD_EXITED) return Error{"a process that is made in a cgroup is killed at once here"};
    return {};
}

Result<void> check_delegation(const std::string& own_path, bool delegated) {
    if (delegated || sd_booted() <= 0 || is_delegated(own_path)) return {};
    return Error{"systemd has not delegated " + own_path + " (Delegate=yes)"};
}

}  // namespace

ControllerFaults CgroupRoot::controller_faults_here() {
    const auto own = cgroup_of("self");
    const auto path = own ? find_own(*own) : Result<std::string>(Error{"procsupd's own cgroup is not known"});
    const auto ours = path ? check_delegation(*path, false) : Result<void>(path.error());
    if (!ours) return all_faults("no cgroups are used: " + ours.error().message);
    const Fd group(open(path->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return procsup::controller_faults(group.get());
}

ControllerFaults CgroupRoot::controller_faults() const {
    const Fd own(openat(directory_.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return procsup::controller_faults(own.get());
}

Result<CgroupRoot> CgroupRoot::claim(std::string_view name, bool delegated) {
    const auto own = cgroup_of("self");
    if (!own) return Error{"the daemon's own cgroup is not known"};
    const auto own_path = find_own(*own);
    if (!own_path) return own_path.error();
    const bool by_systemd = sd_booted() > 0;
    if (auto ours = check_delegation(*own_path, delegated); !ours) return ours.error();
    const auto part = by_systemd ? std::string("jobs") : name_for(name);
    const auto path = joined(*own_path, part);
    auto directory = make_directory(path);
    if (!directory) return directory.error();
    // Two that do not see each other's runtime directory may be in one cgroup: two containers, two mount namespaces.
    if (flock(directory->get(), LOCK_EX | LOCK_NB) < 0) return Error{path + " is in use by another procsupd", errno};
    if (faccessat(directory->get(), "cgroup.kill", W_OK, AT_EACCESS) < 0) {
        const int error = errno;
        rmdir(path.c_str());
        return os_failure("write " + path + "/cgroup.kill", error);
    }
    if (by_systemd || is_alone_with_controllers(*own_path)) {
        if (auto moved = move_aside(*own_path); !moved) return moved.error();
    }
    if (auto works = try_clone(directory->get()); !works) return works.error();
    return CgroupRoot(path, joined(*own, part), std::move(*directory));
}

std::optional<CgroupRoot> CgroupRoot::find(const std::string& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory) directory.reset(fcntl(directory.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!directory || faccessat(directory.get(), "cgroup.kill", W_OK, AT_EACCESS) < 0) return std::nullopt;
    return CgroupRoot(path, {}, std::move(directory));
}

Fd CgroupRoot::directory() const {
    // Opened anew: the lock on the daemon's own ends with the daemon.
    const Fd directory(openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return Fd(fcntl(directory.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
}

Result<Fd> CgroupRoot::open_empty(const std::string& group) const {
    if (mkdirat(directory_.get(), group.c_str(), 0755) < 0) {
        if (errno != EEXIST) return os_failure("make " + path_ + "/" + group, errno);
        const auto events = read_cgroup_file(directory_.get(), group + "/cgroup.events");
        if (number_behind(events, "populated") == 1u) return os_failure("use " + path_ + "/" + group, EBUSY);
        // Its last run was killed while it was paused: a child cloned into it would stand still, and who waits for that too.
        if (number_behind(events, "frozen") == 1u) freeze(group, false);
    }
    Fd opened(openat(directory_.get(), group.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return os_failure("open " + path_ + "/" + group, errno);
    return opened;
}

bool CgroupRoot::is_populated(const std::string& group) const {
    return number_behind(read_cgroup_file(directory_.get(), group + "/cgroup.events"), "populated") == 1u;
}

void CgroupRoot::kill(const std::string& group) const {
    write_cgroup_file(directory_.get(), group + "/cgroup.kill", "1");
}

void CgroupRoot::freeze(const std::string& group, bool freeze) const {
    write_cgroup_file(directory_.get(), group + "/cgroup.freeze", freeze ? "1" : "0");
}

void CgroupRoot::signal(const std::string& group, int signal) const {
    const Fd directory(openat(directory_.get(), group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) signal_below(directory.get(), joined(name_, group), signal, 0);
}

void CgroupRoot::remove(const std::string& group) const { remove_group(directory_.get(), group); }

std::optional<std::string> CgroupRoot::group_of(pid_t pid) const {
    const auto group = cgroup_of(std::to_string(pid));
    if (!group || !group->starts_with(name_ + "/")) return std::nullopt;
    const auto begin = name_.size() + 1;
    return group->substr(begin, group->find('/', begin) - begin);
}

bool CgroupRoot::clear() const {
    if (is_populated(".")) {
        kill(".");
        return false;
    }
    remove_groups();
    return true;
}

void CgroupRoot::remove_groups() const {
    for (const auto& name : groups_in(directory_.get())) remove_group(directory_.get(), name);
}

void CgroupRoot::remove() const {
    remove_groups();
    rmdir(path_.c_str());
}

}  // namespace procsup
