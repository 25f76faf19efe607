#include "daemon/logger/log_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <deque>

namespace procsup::logger {
namespace {

constexpr std::uint64_t kHighestNumber = 9'999'999;
constexpr int kMostLinks = 40;  // as the kernel's own limit

std::deque<std::string> components(std::string_view path) {
    std::deque<std::string> names;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto name = path.substr(0, slash);
        if (!name.empty() && name != ".") names.emplace_back(name);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return names;
}

/// What the symbolic link `link` (opened with O_PATH) says, if it may be followed.
Result<std::string> followed(const Fd& link, const std::string& path) {
    struct stat status {};
    char target[PATH_MAX];
    if (fstat(link.get(), &status) < 0) return os_failure("look at " + path, errno);
    if (status.st_uid != 0 && status.st_uid != geteuid()) {
        return Error{
            fmt::format("cannot use {}: a symbolic link of another user (uid {}) is on the way", path, status.st_uid),
            ELOOP};
    }
    const ssize_t size = readlinkat(link.get(), "", target, sizeof(target));
    if (size < 0 || size == static_cast<ssize_t>(sizeof(target)))
        return os_failure("read a link on the way to " + path, errno);
    return std::string(target, static_cast<std::size_t>(size));
}

/// One step of the way; made if it is missing.
Fd step(const Fd& from, const std::string& name, bool make) {
    constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    Fd next(openat(from.get(), name.c_str(), kFlags));
    if (next || errno != ENOENT || !make) return next;
    if (mkdirat(from.get(), name.c_str(), 0755) < 0 && errno != EEXIST) return next;
    next.reset(openat(from.get(), name.c_str(), kFlags));
    return next;
}

/// "web.out.log.000017" or "web.out.log.000017.zst": the name before the number, and the number.
std::pair<std::string, std::uint64_t> parse_rotated(std::string_view name) {
    if (name.ends_with(".zst")) name.remove_suffix(4);
    const auto dot = name.rfind('.');
    std::uint64_t number = 0;
    if (dot == std::string_view::npos) return {};
    const auto digits = name.substr(dot + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool all = error == std::errc() && end == digits.data() + digits.size();
    // Also a date is a number: only what could be counted up to is one of ours, written as we do.
    auto base = std::string(name.substr(0, dot));
    if (!all || number == 0 || number > kHighestNumber || rotated_name(base, number) != name) return {};
    return {std::move(base), number};
}

Result<Fd> lock_file(const Fd& dir, const std::string& path) {
    constexpr const char* kName = ".procsup-logger.lock";
    Fd lock(openat(dir.get(), kName, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat status {};
    if (!lock || fstat(lock.get(), &status) < 0) return os_failure("make the lock of " + path, errno);
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return Error{"cannot lock " + path + ": its " + kName + " is not this user's alone", EPERM};
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK) return Error{"cannot write in " + path + ": another procsup-logger does", EWOULDBLOCK};
    return os_failure("lock " + path, errno);
}

}  // namespace

std::string rotated_name(const std::string& base, std::uint64_t number) {
    return fmt::format("{}.{:06}", base, number);
}

Result<Fd> open_way(const std::string& path, bool make) {
    Fd place(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    auto names = components(path);
    int links = 0;
    while (!names.empty()) {
        const auto name = std::move(names.front());
        names.pop_front();
        Fd next = step(place, name, make);
        struct stat status {};
        if (!next || fstat(next.get(), &status) < 0) return os_failure("open the directory " + path, errno);
        if (!S_ISLNK(status.st_mode)) {
            place = std::move(next);
            continue;
        }
        const auto target = followed(next, path);
        if (!target) return target.error();
        if (++links > kMostLinks) return os_failure("open the directory " + path, ELOOP);
        if (target->starts_with('/')) place.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        auto more = components(*target);
        names.insert(names.begin(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }
    Fd opened(openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return os_failure("open the directory " + path, errno);
    return opened;
}

Result<std::shared_ptr<const Fd>> LockedDirs::lock(Fd dir, const std::string& path) {
    struct stat status {};
    if (fstat(dir.get(), &status) < 0) return os_failure("look at " + path, errno);
    auto& held = held_[{status.st_dev, status.st_ino}];
    auto locked = held.lock();
    if (!locked) {
        auto lock = lock_file(dir, path);
        if (!lock) return lock.error();
        locked = std::make_shared<const Held>(Held{std::move(dir), std::move(*lock)});
        held = locked;
    }
    return std::shared_ptr<const Fd>(locked, &locked->dir);
}

Result<void> LogDir::ensure() {
    struct stat status {};
    // A directory that was removed stays open, and nothing can be made in it.
    if (fd_ && fstat(fd(), &status) == 0 && status.st_nlink > 0) return {};
    return open();
}

bool LogDir::is_in_place() const {
    struct stat ours {
    }, there{};
    return fd_ && fstat(fd(), &ours) == 0 && stat(path_.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

Result<void> LogDir::open() {
    fd_.reset();
    auto opened = open_way(path_, true);
    if (!opened) return opened.error();
    auto locked = locked_->lock(std::move(*opened), path_);
    if (!locked) return locked.error();
    fd_ = std::move(*locked);
    scan();
    return {};
}

void LogDir::scan() {
    rotated_.clear();
    DIR* const listing = fdopendir(openat(fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (listing == nullptr) return;
    while (const dirent* entry = readdir(listing)) {
        auto [base, number] = parse_rotated(entry->d_name);
        struct stat status {};
        if (base.empty() || fstatat(fd(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (S_ISREG(status.st_mode) && status.st_uid == geteuid()) rotated_[base].insert(number);
    }
    closedir(listing);
}

}  // namespace procsup::logger
