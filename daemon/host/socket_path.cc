#include "daemon/host/socket_path.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

namespace procsup {
namespace {

constexpr int kMostLinks = 40;

void add_elements(const std::string& path, std::deque<std::string>& elements) {
    std::deque<std::string> added;
    for (std::size_t at = 0; at < path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        if (end > at && path.compare(at, end - at, ".") != 0) added.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    elements.insert(elements.begin(), added.begin(), added.end());
}

bool is_ours(uid_t uid) { return uid == 0 || uid == geteuid(); }

/// Nobody else can put another in the place of what is in `dir` and belongs to `owner`.
bool is_safe(const struct stat& dir, uid_t owner) {
    const bool others_write = (dir.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    return is_ours(dir.st_uid) && (!others_write || ((dir.st_mode & S_ISVTX) != 0 && is_ours(owner)));
}

class Walk {
public:
    explicit Walk(const std::string& path) : path_(path) {}

    Result<SocketPlace> run() {
        add_elements(path_, elements_);
        dir_.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!dir_) return failure(errno);
        while (elements_.size() > 1) {
            if (const int error = step(); error != 0) return failure(error);
        }
        if (elements_.empty()) return failure(EISDIR);
        SocketPlace place{std::move(dir_), elements_.front(), path_};
        // Along directories of others the path could lead elsewhere by the time it is used.
        if (!safe_) place.bind_path = "/proc/self/fd/" + std::to_string(place.dir.get()) + "/" + place.name;
        return place;
    }

private:
    Error failure(int error) const {
        if (error == ELOOP && refused_)
            return Error{"cannot use the directory of socket " + path_ + ": '" + elements_.front() +
                             "' is a link that another user can have made",
                         error};
        return os_failure("use the directory of socket " + path_, error);
    }

    int step() {
        const auto& name = elements_.front();
        struct stat above {
        }, status{};
        if (fstat(dir_.get(), &above) < 0) return errno;
        if (name == "..") safe_ = false;  // of a link: what is above may be another directory by then
        Fd next(openat(dir_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!next || fstat(next.get(), &status) < 0) return errno;
        const bool safe = is_safe(above, status.st_uid);
        if (S_ISLNK(status.st_mode)) return follow(next, safe && safe_);
        if (!S_ISDIR(status.st_mode)) return ENOTDIR;
        safe_ = safe_ && safe;
        dir_ = std::move(next);
        elements_.pop_front();
        return 0;
    }

    int follow(const Fd& link, bool safe) {
        refused_ = !safe;
        if (!safe || ++links_ > kMostLinks) return ELOOP;
        char target[PATH_MAX];
        const ssize_t size = readlinkat(link.get(), "", target, sizeof(target));
        if (size < 0) return errno;
        if (size == 0 || size == static_cast<ssize_t>(sizeof(target))) return ENAMETOOLONG;
        elements_.pop_front();
        add_elements(std::string(target, static_cast<std::size_t>(size)), elements_);
        if (target[0] == '/') dir_.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        return dir_ ? 0 : errno;
    }

    const std::string& path_;
    std::deque<std::string> elements_;
    Fd dir_;
    bool safe_ = true;
    bool refused_ = false;
    int links_ = 0;
};

}  // namespace

Result<SocketPlace> open_socket_place(const std::string& path) { return Walk(path).run(); }

}  // namespace procsup
