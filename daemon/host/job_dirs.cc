#include "daemon/host/job_dirs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace procsup {
namespace {

constexpr int kDeepest = 128;
constexpr std::size_t kMostEntries = 1000000;
constexpr mode_t kMode = 0755;

std::vector<std::string> elements_of(const std::string& name) {
    std::vector<std::string> elements;
    for (std::size_t at = 0; at < name.size();) {
        const auto end = std::min(name.find('/', at), name.size());
        if (end > at) elements.push_back(name.substr(at, end - at));
        at = end + 1;
    }
    return elements;
}

Result<Fd> open_base(const std::string& path, bool make) {
    for (std::size_t end = path.find('/', 1); make && end != std::string::npos; end = path.find('/', end + 1)) {
        mkdir(path.substr(0, end).c_str(), kMode);
    }
    if (make) mkdir(path.c_str(), kMode);
    Fd base(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!base) return os_failure("use directory " + path, errno);
    return base;
}

/// As the kernel's own checks for a user's access to files see the caller.
class AsUser {
public:
    explicit AsUser(const Owner& owner) {
        setfsgid(owner.gid);
        setfsuid(owner.uid);
    }
    ~AsUser() {
        setfsuid(geteuid());
        setfsgid(getegid());
    }
    AsUser(const AsUser&) = delete;
    AsUser& operator=(const AsUser&) = delete;
};

Fd open_element(const Fd& parent, const std::string& name) {
    return Fd(openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Result<void> give(const Fd& directory, const std::string& path, const Owner& owner, bool in_foreign_hands) {
    struct stat status {};
    if (fstat(directory.get(), &status) < 0) return os_failure("look at directory " + path, errno);
    if (status.st_uid == owner.uid && (status.st_gid == owner.gid || geteuid() != 0)) return {};
    // In a directory of its own a user can put another's in this place: that must not become its own.
    if (status.st_uid != owner.uid && (in_foreign_hands || geteuid() != 0)) {
        return Error{"cannot use directory " + path + ": it belongs to uid " + std::to_string(status.st_uid), EPERM};
    }
    if (fchown(directory.get(), owner.uid, owner.gid) < 0) return os_failure("change the owner of " + path, errno);
    return {};
}

class Removal {
public:
    /// errno of the first failure, or 0.
    int remove(int parent, const char* name) {
        int error = 0;
        do {
            taken_up_ = 0;
            error = remove(parent, name, 0);
        } while (taken_up_ > 0 && left_ > 0);
        return error;
    }

private:
    int take_up(int parent, const char* name) {
        const auto above = ".procsupd-" + std::to_string(++taken_up_) + "-" + std::to_string(left_);
        return renameat(parent, name, top_, above.c_str()) == 0 ? 0 : errno;
    }

    int remove(int parent, const char* name, int depth) {
        if (left_ == 0) return E2BIG;
        --left_;
        if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
        if (errno != EISDIR && errno != EPERM) return errno;
        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
        if (errno != ENOTEMPTY && errno != EEXIST) return errno;
        // What is deeper is taken up and has its turn later: each level costs a descriptor.
        if (depth == kDeepest) return take_up(parent, name);
        // Not into what is mounted below: that is somebody else's.
        open_how how{};
        how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
        Fd directory(static_cast<int>(syscall(SYS_openat2, parent, name, &how, sizeof(how))));
        if (!directory) return errno;
        if (const int error = empty(std::move(directory), depth); error != 0) return error;
        return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
    }

    int empty(Fd directory, int depth) {
        // One that its owner may only read.
        struct stat status {};
        if (fstat(directory.get(), &status) == 0 && status.st_uid == geteuid()) fchmod(directory.get(), 0700);
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(directory.release()), closedir);
        if (!entries) return errno;
        if (depth == 0) top_ = dirfd(entries.get());
        int failure = 0;
        while (const dirent* entry = readdir(entries.get())) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            const int error = remove(dirfd(entries.get()), entry->d_name, depth + 1);
            if (failure == 0) failure = error;
        }
        return failure;
    }

    std::size_t left_ = kMostEntries;
    int top_ = -1;  ///< what is removed, while it is looked through
    std::size_t taken_up_ = 0;
};

}  // namespace

Result<Fd> make_job_dir(const std::string& base, const std::string& name, const Owner& owner, Found found) {
    auto parent = open_base(base, true);
    if (!parent) return parent.error();
    const auto elements = elements_of(name);
    std::string path = base;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        struct stat status {};
        if (fstat(parent->get(), &status) < 0) return os_failure("look at directory " + path, errno);
        const bool foreign = status.st_uid != geteuid();
        path += "/" + elements[i];
        int made = 0;
        int error = 0;
        {
            const AsUser as(foreign ? owner : Owner{geteuid(), getegid()});
            made = mkdirat(parent->get(), elements[i].c_str(), kMode);
            error = errno;
        }
        if (made < 0 && error != EEXIST) return os_failure("make directory " + path, error);
        Fd directory = open_element(*parent, elements[i]);
        if (!directory) return os_failure("use directory " + path + ", which must be no link", errno);
        if (i + 1 == elements.size()) {
            if (found == Found::Refused && made < 0 && fstat(directory.get(), &status) == 0 &&
                status.st_uid != owner.uid) {
                return Error{"cannot use directory " + path + ": it is there already and belongs to uid " +
                                 std::to_string(status.st_uid) + "; remove it, or use another name",
                             EEXIST};
            }
            if (auto given = give(directory, path, owner, foreign); !given) return given.error();
        }
        *parent = std::move(directory);
    }
    return parent;
}

Result<void> remove_job_dir(const std::string& base, const std::string& name) {
    auto parent = open_base(base, false);
    const auto elements = elements_of(name);
    if (elements.empty() || (!parent && parent.error().os_error == ENOENT)) return {};
    if (!parent) return parent.error();
    for (std::size_t i = 0; i + 1 < elements.size(); ++i) {
        *parent = open_element(*parent, elements[i]);
        if (!*parent)
            return errno == ENOENT ? Result<void>() : os_failure("use a directory of " + base + "/" + name, errno);
    }
    struct stat status {};
    const bool found = fstatat(parent->get(), elements.back().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (found ? !S_ISDIR(status.st_mode) : errno == ENOENT) return {};
    const int error = Removal().remove(parent->get(), elements.back().c_str());
    if (error != 0) return os_failure("remove " + base + "/" + name, error);
    return {};
}

}  // namespace procsup
