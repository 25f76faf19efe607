#include "daemon/logger/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <utility>

#include "daemon/logger/clock.h"

namespace procsup::logger {
namespace {

constexpr std::int64_t kLookUpPause = 1'000'000;

std::uint64_t id_of(const struct stat& status) { return status.st_ino ^ (std::uint64_t{status.st_dev} << 48); }

std::int64_t to_usec(std::int64_t seconds, std::int64_t nanoseconds) {
    return seconds * 1'000'000 + nanoseconds / 1000;
}

/// Where the file system does not know it, when it was last written to: later, not earlier.
std::int64_t birth_of(const Fd& file, const struct stat& status) {
    struct statx more {};
    if (statx(file.get(), "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 && (more.stx_mask & STATX_BTIME) != 0)
        return to_usec(more.stx_btime.tv_sec, more.stx_btime.tv_nsec);
    return to_usec(status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

}  // namespace

OutputFile::OutputFile(std::shared_ptr<LogDir> dir, std::string base, std::optional<gid_t> group,
                       const Retention& retention)
    : dir_(std::move(dir)), base_(std::move(base)), group_(group), retention_(retention) {}

Result<void> OutputFile::look(std::int64_t now) {
    struct stat status {};
    if (!fd_) return open();
    if (fstat(fd_.get(), &status) < 0) return os_failure("look at " + path(), errno);
    if (static_cast<std::uint64_t>(status.st_size) < size_) skipped_ = number();
    const bool due = now - looked_up_ >= kLookUpPause || now < looked_up_;
    if (status.st_nlink == 1 && !due) {
        size_ = static_cast<std::uint64_t>(status.st_size);
        return {};
    }
    looked_up_ = now;
    if (!dir_->is_in_place()) dir_->leave();
    struct stat there {};
    const bool same = status.st_nlink == 1 && fstatat(dir_->fd(), base_.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                      there.st_ino == status.st_ino && there.st_dev == status.st_dev;
    if (!same) {
        skipped_ = number();
        return open();
    }
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
    begun_ = size_ > 0 ? birth_of(fd_, status) : 0;
    if (retention_.compress && !std::exchange(leftovers_seen_, true)) compress_leftovers();
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
    if (begun_ == 0 && retention_.max_age > 0) begun_ = wall_usec();
    return static_cast<std::size_t>(written);
}

Result<void> OutputFile::sync() {
    if (fd_ && fdatasync(fd_.get()) < 0) return os_failure("put " + path() + " on the disk", errno);
    return {};
}

Result<void> OutputFile::cut(std::uint64_t size) {
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) < 0) return os_failure("cut " + path(), errno);
    size_ = size;
    return {};
}

std::uint64_t OutputFile::number() const {
    const auto& numbers = dir_->rotated(base_);
    return 1 + std::max(skipped_, numbers.empty() ? 0 : *numbers.rbegin());
}

Result<void> OutputFile::rotate() {
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
    remove_superfluous();
    if (retention_.compress && !rotated().empty()) dir_->compress(name);
    return open();
}

bool OutputFile::look_at_rotated(std::uint64_t number, struct stat& status) const {
    const auto name = rotated_name(base_, number);
    return fstatat(dir_->fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ||
           fstatat(dir_->fd(), (name + ".zst").c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// What a logger before this one has rotated and could not compress any more.
void OutputFile::compress_leftovers() {
    for (const auto number : rotated()) {
        const auto name = rotated_name(base_, number);
        if (faccessat(dir_->fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) dir_->compress(name);
    }
}

void OutputFile::remove_oldest() {
    const auto oldest = *rotated().begin();
    const auto name = rotated_name(base_, oldest);
    unlinkat(dir_->fd(), name.c_str(), 0);
    for (const auto* suffix : {".zst", ".zst.new"}) unlinkat(dir_->fd(), (name + suffix).c_str(), 0);
    dir_->remove(base_, oldest);
}

void OutputFile::remove_superfluous() {
    while (rotated().size() > retention_.keep) remove_oldest();
    if (retention_.total_size == 0) return;
    std::uint64_t total = 0;
    auto first_kept = rotated().end();
    while (first_kept != rotated().begin()) {
        struct stat status {};
        const auto before = std::prev(first_kept);
        if (look_at_rotated(*before, status)) total += static_cast<std::uint64_t>(status.st_size);
        if (total > retention_.total_size) break;
        first_kept = before;
    }
    const auto kept = static_cast<std::size_t>(std::distance(first_kept, rotated().end()));
    while (rotated().size() > kept) remove_oldest();
}

std::int64_t OutputFile::expire(std::int64_t now) {
    if (retention_.max_age == 0 || !look(now)) return 0;
    if (begun_ != 0 && size_ > 0 && begun_ + retention_.max_age <= now) (void)rotate();
    while (!rotated().empty()) {
        struct stat status {};
        const bool there = look_at_rotated(*rotated().begin(), status);
        const auto due = to_usec(status.st_mtim.tv_sec, status.st_mtim.tv_nsec) + retention_.max_age;
        if (there && due > now) return begun_ != 0 ? std::min(due, begun_ + retention_.max_age) : due;
        remove_oldest();
    }
    return begun_ != 0 ? begun_ + retention_.max_age : 0;
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
