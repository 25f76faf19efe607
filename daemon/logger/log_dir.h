#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/compressor.h"

namespace procsup::logger {

/// One directory that log files are in, open and locked: no two loggers write in it. Knows which rotated files there are.
///
/// A way that leads over somebody else's symbolic link is refused, so that no user can lead a privileged logger to another
/// place; links of root and of the logger's own user are followed.
class LogDir {
public:
    /// `compressor` may be null; it compresses what is rotated.
    explicit LogDir(std::string path, Compressor* compressor = nullptr)
        : path_(std::move(path)), compressor_(compressor) {}

    const std::string& path() const { return path_; }
    /// Opens it, made with all that is missing above, unless that is done and it is still there. Also locks it.
    Result<void> ensure();
    int fd() const { return fd_.get(); }

    /// Numbers of the rotated files of `base`, the oldest first.
    const std::set<std::uint64_t>& rotated(const std::string& base) { return rotated_[base]; }
    void compress(const std::string& name) {
        if (compressor_ != nullptr) compressor_->add(fd_.get(), name);
    }
    void add(const std::string& base, std::uint64_t number) { rotated_[base].insert(number); }
    void remove(const std::string& base, std::uint64_t number) { rotated_[base].erase(number); }

private:
    Result<void> open();
    void scan();

    std::string path_;
    Compressor* compressor_;
    Fd fd_;
    std::map<std::string, std::set<std::uint64_t>> rotated_;
};

/// "web.out.log" and 17: "web.out.log.000017".
std::string rotated_name(const std::string& base, std::uint64_t number);

/// Opens the directory at `path`; see LogDir. `make`: what is missing is made, for this user and its group.
Result<Fd> open_way(const std::string& path, bool make);

}  // namespace procsup::logger
