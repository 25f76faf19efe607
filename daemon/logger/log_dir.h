#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/compressor.h"

namespace procsup::logger {

/// The directories that this process has locked, each once, by whatever names it is known. The lock is a file in it that only
/// the logger's user may open: a lock on the directory itself could be taken by everyone who can see it.
class LockedDirs {
public:
    /// The directory, locked, or the one that it is locked as already. `path` is for the message.
    Result<std::shared_ptr<const Fd>> lock(Fd dir, const std::string& path);

private:
    struct Held {
        Fd dir, lock;
    };
    std::map<std::pair<dev_t, ino_t>, std::weak_ptr<const Held>> held_;
};

/// One directory that log files are in, open and locked: no two loggers write in it. Knows which rotated files there are.
///
/// A way that leads over somebody else's symbolic link is refused, so that no user can lead a privileged logger to another
/// place; links of root and of the logger's own user are followed.
class LogDir {
public:
    /// `compressor` may be null; it compresses what is rotated.
    LogDir(std::string path, std::shared_ptr<LockedDirs> locked, Compressor* compressor = nullptr)
        : path_(std::move(path)), locked_(std::move(locked)), compressor_(compressor) {}

    const std::string& path() const { return path_; }
    /// Opens it, made with all that is missing above, unless that is done and it is still there. Also locks it.
    Result<void> ensure();
    /// Its path leads to it still.
    bool is_in_place() const;
    /// The next ensure() opens what is at its path then.
    void leave() { fd_.reset(); }
    int fd() const { return fd_ ? fd_->get() : -1; }

    /// Numbers of the rotated files of `base`, the oldest first.
    const std::set<std::uint64_t>& rotated(const std::string& base) { return rotated_[base]; }
    void compress(const std::string& name) {
        if (compressor_ != nullptr) compressor_->add(fd_, name);
    }
    void add(const std::string& base, std::uint64_t number) { rotated_[base].insert(number); }
    void remove(const std::string& base, std::uint64_t number) { rotated_[base].erase(number); }

private:
    Result<void> open();
    void scan();

    std::string path_;
    std::shared_ptr<LockedDirs> locked_;
    Compressor* compressor_;
    std::shared_ptr<const Fd> fd_;
    std::map<std::string, std::set<std::uint64_t>> rotated_;
};

/// "web.out.log" and 17: "web.out.log.000017".
std::string rotated_name(const std::string& base, std::uint64_t number);

/// Opens the directory at `path`; see LogDir. `make`: what is missing is made, for this user and its group.
Result<Fd> open_way(const std::string& path, bool make);

}  // namespace procsup::logger
