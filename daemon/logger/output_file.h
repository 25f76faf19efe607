#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/log_dir.h"
#include "daemon/logger/sink.h"

namespace procsup::logger {

/// What becomes of a stream's files when they are rotated.
struct Retention {
    std::uint64_t max_size = 0;    ///< of a file when it is rotated; 0: any
    std::uint32_t keep = 0;        ///< rotated files
    std::uint64_t total_size = 0;  ///< of all rotated files; 0: any
    std::int64_t max_age = 0;      ///< microseconds after which a file is rotated, and a rotated one removed; 0: any
    bool compress = false;

    friend bool operator==(const Retention&, const Retention&) = default;
};

/// The current file of one stream, and its rotation. Files are for the logger's user; the group is the job's, which may read.
/// Only a regular file with one name that is the logger's own is written to: whatever else stands in its place is
/// refused with an Error, and looked at again with the next call of look().
class OutputFile final : public Sink {
public:
    /// `base` is the name of the current file, `group` who may read.
    OutputFile(std::shared_ptr<LogDir> dir, std::string base, std::optional<gid_t> group, const Retention& retention);

    /// Makes sure that the file is open, is still the one at its path, and says how large it is. At `now` (microseconds);
    /// the path itself is looked up once a second at most, for files that were moved away or removed and made anew.
    Result<void> look(std::int64_t now) override;
    /// One write(2) at the end; the bytes written, which may be fewer on a full disk.
    Result<std::size_t> append(std::string_view bytes) override;
    /// Puts what was written on the disk, however long that takes (fdatasync(2)).
    Result<void> sync();
    /// Gives back what is behind `size`.
    Result<void> cut(std::uint64_t size) override;
    /// The next bytes go to a new file; of the old ones those that Retention allows remain.
    Result<void> rotate();
    /// With max_age: rotates and removes what is too old. The time when something will be; 0: nothing will.
    std::int64_t expire(std::int64_t now);

    /// Makes sure that the directory is open; for reading where nothing was written yet.
    Result<void> prepare() { return dir_->ensure(); }

    const LogDir& dir() const { return *dir_; }
    std::string_view place() const override { return dir_->path(); }
    std::uint64_t size() const override { return size_; }
    bool has_lost_its_end() const override { return size_ == 0; }
    /// Tells files apart while they exist.
    std::uint64_t id() const override { return id_; }
    /// What it will be called by when it is rotated. Another one when others have replaced or emptied the file.
    std::uint64_t number() const;
    /// For reading: the current file, or a rotated one. `compressed` says which it was.
    Result<Fd> open_current() const;
    Result<Fd> open_rotated(std::uint64_t number, bool& compressed) const;
    const std::set<std::uint64_t>& rotated() const { return dir_->rotated(base_); }
    std::string path() const { return dir_->path() + "/" + base_; }

private:
    Result<void> open();
    Result<void> check(const struct stat& status) const;
    void compress_leftovers();
    void remove_oldest();
    void remove_superfluous();
    /// Of a rotated file, under whichever name it is there.
    bool look_at_rotated(std::uint64_t number, struct stat& status) const;

    std::shared_ptr<LogDir> dir_;
    std::string base_;
    std::optional<gid_t> group_;
    Retention retention_;
    Fd fd_;
    std::uint64_t size_ = 0;
    std::uint64_t id_ = 0;
    std::uint64_t skipped_ = 0;  ///< numbers of current files that others have taken away or emptied
    std::int64_t looked_up_ = 0;
    bool leftovers_seen_ = false;
    std::int64_t begun_ = 0;  ///< when the first bytes of the current file were written; 0: none were
};

}  // namespace procsup::logger
