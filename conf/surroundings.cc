#include "conf/surroundings.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/fd.h"
#include "conf/text_file.h"

namespace procsup {
namespace {

constexpr std::size_t kMostEntry = 1u << 20;  // a group with many members is long
constexpr std::size_t kMostSmallFile = 1u << 20;

/// Calls one of the reentrant look-ups with a buffer that grows until the entry fits. ENOENT and friends are how some
/// name services say "not found".
template <typename Entry, typename Call>
Result<bool> look_up(const char* what, std::vector<char>& buffer, Entry& entry, Call call) {
    buffer.resize(1024);
    for (;;) {
        Entry* found = nullptr;
        const int error = call(&entry, buffer.data(), buffer.size(), &found);
        if (error == ERANGE && buffer.size() < kMostEntry) {
            buffer.resize(buffer.size() * 4);
            continue;
        }
        if (found != nullptr) return true;
        if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) return false;
        if (error == EINTR) continue;
        return os_failure(std::string("look up ") + what, error);
    }
}

template <typename Call>
Result<std::optional<UserEntry>> find_user(Call call) {
    std::vector<char> buffer;
    passwd entry{};
    const auto found = look_up("a user", buffer, entry, call);
    if (!found) return found.error();
    if (!*found) return std::optional<UserEntry>();
    return std::optional<UserEntry>({entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell});
}

constexpr int kLongestLook = 1000;  // ms

std::string directory_fault_of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) < 0) return strerrordesc_np(errno);
    return S_ISDIR(status.st_mode) ? "" : strerrordesc_np(ENOTDIR);
}

/// Empty: there is none.
std::string look_for_writing_fault(const std::string& path) {
    auto place = path;
    while (place.size() > 1 && access(place.c_str(), F_OK) < 0 && errno == ENOENT) {
        place = std::filesystem::path(place).parent_path();
    }
    if (const auto fault = directory_fault_of(place); !fault.empty()) return "cannot use " + place + ": " + fault;
    if (eaccess(place.c_str(), W_OK | X_OK) < 0) return "cannot write in " + place + ": " + strerrordesc_np(errno);
    return {};
}

}  // namespace

uid_t SystemSurroundings::own_uid() const { return geteuid(); }

gid_t SystemSurroundings::own_gid() const { return getegid(); }

CapabilitySet SystemSurroundings::own_capabilities() const {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (syscall(SYS_capget, &header, data) < 0) return 0;
    return CapabilitySet{data[1].effective & data[1].permitted} << 32 | (data[0].effective & data[0].permitted);
}

CapabilitySet SystemSurroundings::known_capabilities() const {
    CapabilitySet known = 0;
    for (int number = 0; number < 64 && prctl(PR_CAPBSET_READ, number) >= 0; ++number) known |= capability_bit(number);
    return known;
}

Result<std::optional<UserEntry>> SystemSurroundings::user(const std::string& name) const {
    return find_user([&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
        return getpwnam_r(name.c_str(), entry, buffer, size, found);
    });
}

Result<std::optional<UserEntry>> SystemSurroundings::user(uid_t uid) const {
    return find_user([&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
        return getpwuid_r(uid, entry, buffer, size, found);
    });
}

Result<std::optional<gid_t>> SystemSurroundings::group(const std::string& name) const {
    std::vector<char> buffer;
    ::group entry{};
    const auto found =
        look_up("a group", buffer, entry, [&](::group* out, char* bytes, std::size_t size, ::group** result) {
            return getgrnam_r(name.c_str(), out, bytes, size, result);
        });
    if (!found) return found.error();
    return *found ? std::optional<gid_t>(entry.gr_gid) : std::nullopt;
}

std::vector<gid_t> SystemSurroundings::groups_of(const UserEntry& user) const {
    int count = 32;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (getgrouplist(user.name.c_str(), user.gid, groups.data(), &count) < 0 && count <= 65536) {
        if (static_cast<std::size_t>(count) <= groups.size()) count = static_cast<int>(groups.size() * 2);
        groups.resize(static_cast<std::size_t>(count));
    }
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    std::erase(groups, user.gid);
    return groups;
}

std::optional<std::string> SystemSurroundings::variable(const std::string& name) const {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<std::string> SystemSurroundings::directory_fault(const std::string& path) const {
    auto fault = directory_fault_of(path);
    return fault.empty() ? std::nullopt : std::optional(std::move(fault));
}

/// By a process of its own: a file system that hangs must not hold up those whose jobs do not use it. What does not answer is not
/// called a fault, as who writes there waits for it.
std::optional<std::string> SystemSurroundings::writing_fault(const std::string& path) const {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return std::nullopt;
    const Fd reading(ends[0]);
    Fd writing(ends[1]);
    const pid_t child = fork();
    if (child == 0) {
        const auto fault = look_for_writing_fault(path);
        _exit(write(writing.get(), fault.data(), fault.size()) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
    }
    writing.reset();
    pollfd answer{reading.get(), POLLIN, 0};
    if (child < 0 || poll(&answer, 1, kLongestLook) <= 0) {
        if (child > 0) kill(child, SIGKILL);
        return std::nullopt;
    }
    std::string fault(PIPE_BUF, '\0');
    const auto size = read(reading.get(), fault.data(), fault.size());
    waitpid(child, nullptr, 0);
    fault.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return fault.empty() ? std::nullopt : std::optional(fault);
}

bool SystemSurroundings::is_program(const std::string& path) const {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

bool SystemSurroundings::exists(const std::string& path) const { return access(path.c_str(), F_OK) == 0; }

Result<std::shared_ptr<const Zone>> SystemSurroundings::time_zone(const std::string& name) const {
    auto zone = load_zone(name, variable("TZ"));
    if (!zone) return zone.error();
    return std::make_shared<const Zone>(std::move(*zone));
}

Result<std::optional<std::string>> SystemSurroundings::small_file(const std::string& path, uid_t owner) const {
    auto text = read_text_file(AT_FDCWD, path, path, kMostSmallFile, Trust{as_root_, owner});
    if (text) return std::optional<std::string>(std::move(*text));
    if (text.error().os_error == ENOENT) return std::optional<std::string>();
    return text.error();
}

}  // namespace procsup
