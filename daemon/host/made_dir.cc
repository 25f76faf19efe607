#include "daemon/host/made_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace procsup {
namespace {

constexpr mode_t kAllMode = 0700;
constexpr mode_t kFileMode = 0600;

std::string file_name_of(const std::string& path) {
    std::string name;
    for (const char c : path) {
        if (c == '/') {
            name += "%2F";
        } else if (c == '%') {
            name += "%25";
        } else {
            name += c;
        }
    }
    return name;
}

/// Numbers of inodes are given again, some file systems do it at once; together with the time of birth they are unique, on whatever
/// number of a device that is mounted. Where that time is not kept, the device is the next best.
Result<std::string> identity_of(const Fd& directory, const std::string& path) {
    struct statx status {};
    if (statx(directory.get(), "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_INO | STATX_BTIME, &status) < 0) {
        return os_failure("look at directory " + path, errno);
    }
    if ((status.stx_mask & STATX_BTIME) != 0) {
        return fmt::format("inode {} born {}.{:09}\n", status.stx_ino, status.stx_btime.tv_sec,
                           status.stx_btime.tv_nsec);
    }
    return fmt::format("inode {} device {}:{}\n", status.stx_ino, status.stx_dev_major, status.stx_dev_minor);
}

}  // namespace

Result<Fd> open_own_dir(const std::string& runtime_dir, const std::string& name, mode_t mode) {
    const auto path = runtime_dir + "/" + name;
    if (mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return os_failure("make directory " + path, errno);
    Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return os_failure("use directory " + path, errno);
    struct stat status {};
    if (fstat(directory.get(), &status) < 0) return os_failure("use directory " + path, errno);
    if (status.st_uid != geteuid()) {
        return Error{"cannot use directory " + path + ": it belongs to uid " + std::to_string(status.st_uid), EPERM};
    }
    if (fchmod(directory.get(), mode) < 0) return os_failure("set the mode of " + path, errno);
    return directory;
}

Result<MadeDir> MadeDir::lock(const std::string& runtime_dir, const std::string& path) {
    auto all = open_own_dir(runtime_dir, kMade, kAllMode);
    if (!all) return all.error();
    const auto name = file_name_of(path);
    const auto what = "note what is made of " + path + " in " + runtime_dir + "/" + kMade;
    while (true) {
        Fd file(openat(all->get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kFileMode));
        if (!file) return os_failure(what, errno);
        int locked = 0;
        do {
            locked = flock(file.get(), LOCK_EX);
        } while (locked < 0 && errno == EINTR);
        struct stat status {};
        if (locked < 0 || fstat(file.get(), &status) < 0) return os_failure(what, errno);
        // Whoever had it has removed it: the next has another.
        if (status.st_nlink == 0) continue;
        MadeDir made(path, name, std::move(*all), std::move(file));
        char text[128];
        const ssize_t size = pread(made.file_.get(), text, sizeof(text), 0);
        if (size < 0) return os_failure(what, errno);
        made.noted_.assign(text, static_cast<std::size_t>(size));
        return made;
    }
}

MadeDir::~MadeDir() {
    if (file_ && noted_.empty()) unlinkat(all_.get(), name_.c_str(), 0);
}

bool MadeDir::is(const Fd& directory) const {
    const auto identity = identity_of(directory, path_);
    return identity && *identity == noted_;
}

Result<void> MadeDir::note(const Fd& directory) {
    const auto identity = identity_of(directory, path_);
    if (!identity) return identity.error();
    noted_ = *identity;
    if (ftruncate(file_.get(), 0) < 0 ||
        pwrite(file_.get(), noted_.data(), noted_.size(), 0) != static_cast<ssize_t>(noted_.size())) {
        return os_failure("note that procsupd has made " + path_, errno);
    }
    return {};
}

void MadeDir::forget() { noted_.clear(); }

}  // namespace procsup
