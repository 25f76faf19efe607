#include "daemon/host/job_dirs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "daemon/host/made_dir.h"

namespace procsup {
namespace {

constexpr int kDeepest = 128;
constexpr std::size_t kMostEntries = 1000000;
constexpr mode_t kMode = 0755;
/// In front of the name of a directory that is not complete yet.
constexpr const char* kUnnamed = ".procsupd-new-";

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

/// Where the last element of a name is, or is to be.
struct Place {
    Fd parent;
    std::string element;
    std::string path;
    bool foreign = false;  ///< the parent is somebody else's
};

/// As whom something is made in it.
Owner maker_in(const Place& place, const Owner& owner) { return place.foreign ? owner : Owner{geteuid(), getegid()}; }

Result<void> look_at_parent(Place& place, const std::string& path) {
    struct stat status {};
    if (fstat(place.parent.get(), &status) < 0) return os_failure("look at directory " + path, errno);
    place.foreign = status.st_uid != geteuid();
    return {};
}

/// What is there already is as good, if it is a directory.
Result<Fd> make_element(const Place& place, const Owner& owner) {
    {
        const AsUser as(maker_in(place, owner));
        if (mkdirat(place.parent.get(), place.element.c_str(), kMode) < 0 && errno != EEXIST) {
            return os_failure("make directory " + place.path, errno);
        }
    }
    Fd directory = open_element(place.parent, place.element);
    if (!directory) return os_failure("use directory " + place.path + ", which must be no link", errno);
    return directory;
}

/// `make` makes what is missing above the last element.
template <typename Make>
Result<Place> make_parents(const std::string& base, const std::string& name, const Make& make) {
    auto opened = open_base(base, true);
    if (!opened) return opened.error();
    Place place{std::move(*opened), {}, base};
    if (auto looked = look_at_parent(place, base); !looked) return looked.error();
    for (const auto& element : elements_of(name)) {
        if (!place.element.empty()) {
            auto directory = make(place);
            if (!directory) return directory.error();
            place.parent = std::move(*directory);
            if (auto looked = look_at_parent(place, place.path); !looked) return looked.error();
        }
        place.element = element;
        place.path += "/" + element;
    }
    return place;
}

/// Without a parent: nothing is there.
Result<Place> find_parents(const std::string& base, const std::string& name) {
    auto opened = open_base(base, false);
    if (!opened) return opened.error().os_error == ENOENT ? Result<Place>(Place{}) : opened.error();
    Place place{std::move(*opened), {}, base + "/" + name};
    for (const auto& element : elements_of(name)) {
        if (!place.element.empty()) {
            place.parent = open_element(place.parent, place.element);
            if (!place.parent) {
                if (errno == ENOENT) return Place{};
                return os_failure("use a directory of " + place.path, errno);
            }
        }
        place.element = element;
    }
    return place;
}

Error not_made_here(const std::string& path) {
    return Error{"cannot use directory " + path +
                     ": it is there already and procsupd has not made it; remove it, or use another name",
                 EEXIST};
}

Result<Fd> take(const Place& place, const MadeDir& made, Fd directory, const Owner& owner) {
    if (!made.is(directory)) return not_made_here(place.path);
    struct stat status {};
    if (fstat(directory.get(), &status) < 0) return os_failure("look at directory " + place.path, errno);
    if (status.st_uid != owner.uid) {
        return Error{"cannot use directory " + place.path + ": it is there already and belongs to uid " +
                         std::to_string(status.st_uid) + "; remove it, or use another name",
                     EEXIST};
    }
    if (auto given = give(directory, place.path, owner, place.foreign); !given) return given.error();
    return directory;
}

/// It gets its name when it is complete and noted: what has the name without being noted is never ours, whenever this ends.
Result<Fd> make_noted(const Place& place, MadeDir& made, const Owner& owner) {
    const auto unnamed = std::string(kUnnamed) + place.element;
    const auto path = place.path.substr(0, place.path.size() - place.element.size()) + unnamed;
    const int parent = place.parent.get();
    {
        // One that was killed may have left it.
        const AsUser as(maker_in(place, owner));
        unlinkat(parent, unnamed.c_str(), AT_REMOVEDIR);
        if (mkdirat(parent, unnamed.c_str(), kMode) < 0) return os_failure("make directory " + path, errno);
    }
    Fd directory = open_element(place.parent, unnamed);
    if (!directory) return os_failure("use directory " + path, errno);
    auto done = give(directory, place.path, owner, place.foreign);
    if (done) done = made.note(directory);
    if (done) {
        const AsUser as(maker_in(place, owner));
        if (renameat2(parent, unnamed.c_str(), parent, place.element.c_str(), RENAME_NOREPLACE) < 0) {
            done = errno == EEXIST ? not_made_here(place.path) : os_failure("make directory " + place.path, errno);
        }
    }
    if (done) return directory;
    made.forget();
    const AsUser as(maker_in(place, owner));
    unlinkat(parent, unnamed.c_str(), AT_REMOVEDIR);
    return done.error();
}

}  // namespace

Result<Fd> make_job_dir(const std::string& base, const std::string& name, const Owner& owner) {
    const auto make = [&](const Place& place) { return make_element(place, owner); };
    auto place = make_parents(base, name, make);
    if (!place) return place.error();
    auto directory = make(*place);
    if (!directory) return directory;
    if (auto given = give(*directory, place->path, owner, place->foreign); !given) return given.error();
    return directory;
}

Result<Fd> make_runtime_dir(const std::string& own_runtime_dir, const std::string& base, const std::string& name,
                            const Owner& owner) {
    const auto make = [&](const Place& place, bool last) -> Result<Fd> {
        auto made = MadeDir::lock(own_runtime_dir, place.path);
        if (!made) return made.error();
        Fd directory = open_element(place.parent, place.element);
        if (directory) return last ? take(place, *made, std::move(directory), owner) : std::move(directory);
        if (errno != ENOENT) return os_failure("use directory " + place.path + ", which must be no link", errno);
        return make_noted(place, *made, last ? owner : maker_in(place, owner));
    };
    const auto place = make_parents(base, name, [&](const Place& above) { return make(above, false); });
    if (!place) return place.error();
    return make(*place, true);
}

Result<void> remove_job_dir(const std::string& base, const std::string& name) {
    const auto place = find_parents(base, name);
    if (!place) return place.error();
    if (place->element.empty()) return {};
    struct stat status {};
    const bool found = fstatat(place->parent.get(), place->element.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (found ? !S_ISDIR(status.st_mode) : errno == ENOENT) return {};
    const int error = Removal().remove(place->parent.get(), place->element.c_str());
    if (error != 0) return os_failure("remove " + place->path, error);
    return {};
}

Result<void> remove_runtime_dir(const std::string& own_runtime_dir, const std::string& base, const std::string& name) {
    auto made = MadeDir::lock(own_runtime_dir, base + "/" + name);
    if (!made) return made.error();
    if (!made->is_noted()) return {};
    const auto place = find_parents(base, name);
    if (!place) return place.error();
    if (!place->element.empty()) {
        // Its owner may have taken away every permission.
        const Fd directory(
            openat(place->parent.get(), place->element.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (directory && !made->is(directory)) {
            return Error{
                "cannot remove " + place->path + ": somebody else has made it since, or mounted something there",
                EPERM};
        }
        if (!directory && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
            return os_failure("look at directory " + place->path, errno);
        }
        if (directory) {
            const int error = Removal().remove(place->parent.get(), place->element.c_str());
            if (error != 0) return os_failure("remove " + place->path, error);
        }
    }
    made->forget();
    return {};
}

}  // namespace procsup
