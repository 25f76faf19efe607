#include "daemon/logger/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace procsup::logger {
namespace {

constexpr std::int64_t kLookUpPause = 1'000'000;

std::uint64_t id_of(const struct stat& status) { return status.st_ino ^ (std::uint64_t{status.st_dev} << 48); }

}  // namespace

OutputFile::OutputFile(std::shared_ptr<LogDir> dir, std::string base, std::optional<gid_t> group)
    : dir_(std::move(dir)), base_(std::move(base)), group_(group) {}

Result<void> OutputFile::look(std::int64_t now) {
    struct stat status {};
    if (!fd_) return open();
    if (fstat(fd_.get(), &status) < 0) return os_failure("look at " + path(), errno);
    const bool due = now - looked_up_ >= kLookUpPause || now < looked_up_;
    if (status.st_nlink == 1 && !due) {
        size_ = static_cast<std::uint64_t>(status.st_size);
        return {};
    }
    looked_up_ = now;
    struct stat there {};
    const bool same = status.st_nlink == 1 && fstatat(dir_->fd(), base_.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                      there.st_ino == status.st_ino && there.st_dev == status.st_dev;
    if (!same) return open();
    size_ = static_cast<std::uint64_t>(status.st_size);
    return {};
}

Result<void> OutputFile::open() {
    fd_.reset();
    if (auto ready = dir_->ensure(); !ready) return ready;
    // O_NONBLOCK: a FIFO without a reader is an error instead of a wait.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    Fd opened(openat(dir_->fd(), base_.c_str(), kFlags, 0640));
    if (!opened && errno == ELOOP) return Error{"cannot write to " + path() + ": it is a symbolic link", ELOOP};
    if (!opened) return os_failure("open " + path(), errno);
    struct stat status {};
    if (fstat(opened.get(), &status) < 0) return os_failure("look at " + path(), errno);
    if (auto good = check(status); !good) return good;
    if (group_ && status.st_gid != *group_ && fchown(opened.get(), static_cast<uid_t>(-1), *group_) < 0) {
        return os_failure("give " + path() + " to the group of its job", errno);
    }
    fd_ = std::move(opened);
    size_ = static_cast<std::uint64_t>(status.st_size);
    id_ = id_of(status);
    return {};
}

Result<void> OutputFile::check(const struct stat& status) const {
    const auto refuse = [&](const std::string& why) { return Error{"cannot write to " + path() + ": " + why, EPERM}; };
    if (!S_ISREG(status.st_mode)) return refuse("it is not a regular file");
    if (status.st_nlink != 1) return refuse(fmt::format("it has {} names (hard links)", status.st_nlink));
    if (status.st_uid != geteuid()) return refuse(fmt::format("it belongs to another user (uid {})", status.st_uid));
    return {};
}

Result<std::size_t> OutputFile::append(std::string_view bytes) {
    ssize_t written = 0;
    do {
        written = write(fd_.get(), bytes.data(), bytes.size());
    } while (written < 0 && errno == EINTR);
    if (written < 0) return os_failure("write to " + path(), errno);
    size_ += static_cast<std::uint64_t>(written);
    return static_cast<std::size_t>(written);
}

Result<void> OutputFile::cut(std::uint64_t size) {
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) < 0) return os_failure("cut " + path(), errno);
    size_ = size;
    return {};
}

std::uint64_t OutputFile::number() const {
    const auto& numbers = dir_->rotated(base_);
    return numbers.empty() ? 1 : *numbers.rbegin() + 1;
}

Result<void> OutputFile::rotate(std::uint32_t keep) {
    const auto next = number();
    const auto name = rotated_name(base_, next);
    if (renameat2(dir_->fd(), base_.c_str(), dir_->fd(), name.c_str(), RENAME_NOREPLACE) < 0 && errno != ENOENT) {
        const int error = errno;
        // Somebody has put it there: the number is taken.
        if (error == EEXIST) dir_->add(base_, next);
        return os_failure("rename " + path() + " to " + name, error);
    }
    dir_->add(base_, next);
    fd_.reset();
    remove_old(keep);
    return open();
}

void OutputFile::remove_old(std::uint32_t keep) {
    while (rotated().size() > keep) {
        const auto oldest = *rotated().begin();
        const auto name = rotated_name(base_, oldest);
        unlinkat(dir_->fd(), name.c_str(), 0);
        unlinkat(dir_->fd(), (name + ".zst").c_str(), 0);
        dir_->remove(base_, oldest);
    }
}

Result<Fd> OutputFile::open_current() const {
    Fd opened(openat(dir_->fd(), base_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened) return os_failure("open " + path(), errno);
    struct stat status {};
    if (fstat(opened.get(), &status) < 0) return os_failure("look at " + path(), errno);
    if (auto good = check(status); !good) return good.error();
    return opened;
}

Result<Fd> OutputFile::open_rotated(std::uint64_t number, bool& compressed) const {
    const auto name = rotated_name(base_, number);
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    compressed = false;
    Fd opened(openat(dir_->fd(), name.c_str(), kFlags));
    if (!opened && errno == ENOENT) {
        compressed = true;
        opened.reset(openat(dir_->fd(), (name + ".zst").c_str(), kFlags));
    }
    if (!opened) return os_failure("open " + dir_->path() + "/" + name, errno);
    struct stat status {};
    if (fstat(opened.get(), &status) < 0) return os_failure("look at " + name, errno);
    if (auto good = check(status); !good) return good.error();
    return opened;
}

}  // namespace procsup::logger
