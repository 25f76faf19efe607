#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "ctl/logs/grep.h"
#include "ctl/logs/line.h"
#include "ctl/logs/stream.h"
#include "ctl/logs/unpacker.h"

namespace procsup::ctl {

/// Which lines are wanted.
struct Wanted {
    std::int64_t since = INT64_MIN;
    std::int64_t until = INT64_MAX;
    const Grep* grep = nullptr;
};

/// A range of a stream's files: from a byte of the first (0 for a compressed one) to the end of the last.
struct Range {
    std::size_t first = 0;
    std::uint64_t offset = 0;
    std::size_t last = SIZE_MAX;  ///< or what is then the last
};

/// The wanted lines of one stream, oldest first. Holds one block of one file; a line may begin in one file and end in the next.
/// Of a file that still grows it reads as far as it was told that it goes; when there is more, it goes on.
class Source {
public:
    /// Longer lines come in pieces.
    static constexpr std::size_t kMaxLine = 1u << 20;

    Source(LogStream& stream, const Wanted& wanted, Range range, std::size_t block, LogStreams::Tell tell);

    /// Goes to the next line; false: there is none at present.
    bool next();
    /// Valid until next().
    const LogLine& line() const { return line_; }
    /// What it is ordered by, never less than that of the line before: its time, or for a file without times when the file
    /// was written last.
    std::int64_t key() const { return key_; }
    LogStream& stream() const { return stream_; }

    /// Nothing more will come: what has no newline is a line too.
    void finish() { finishing_ = true; }
    /// Files that were read to their end are closed, as they will not be read again.
    void close_files_behind() { closes_files_ = true; }

private:
    using Reading = std::variant<std::monostate, std::unique_ptr<Unpacker>, std::unique_ptr<ThreadedUnpacker>>;

    bool take_line();
    bool is_wanted();
    bool skips_blocks() const;
    bool refill();
    bool find_whole_lines();
    bool read_more();
    void open(std::size_t file, std::uint64_t offset);
    bool go_to_next_file();
    std::size_t read(char* to, std::size_t size);
    std::size_t read_packed(char* to, std::size_t size);
    std::size_t unpack(char* to, std::size_t size);
    std::size_t read_plain(char* to, std::size_t size);
    bool is_last_file() const;

    LogStream& stream_;
    const Wanted wanted_;
    const std::size_t last_;
    const std::size_t block_;
    LogStreams::Tell tell_;
    std::size_t at_ = 0;        // the file
    std::uint64_t offset_ = 0;  // before it was compressed
    Reading reading_;
    LogFormat format_ = LogFormat::Raw;
    std::int64_t modified_ = kNoTime;  // the file

    std::string buffer_;
    std::size_t begin_ = 0;     // of the next line
    std::size_t whole_ = 0;     // end of the lines that are complete
    std::size_t searched_ = 0;  // no newline between whole_ and this
    std::size_t boundary_ = 0;  // where a file begins with a line of its own, though the one before has none that ended
    bool open_ = false;         // the piece before did not end its line
    bool finishing_ = false;
    bool opened_ = false;
    bool closes_files_ = false;

    StampReader stamps_;
    LogLine line_;
    std::int64_t key_ = INT64_MIN;
    std::string room_;
};

}  // namespace procsup::ctl
