#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "common/json.h"

namespace procsup {

/// How a captured line stands in its file.
///   Raw      the bytes as they came
///   Stamped  "2026-03-03T10:11:02.123456Z " in front of each line: UTC, RFC 3339 with six digits
///   Json     {"time":"2026-…Z","job":"web","instance":"web@0","stream":"stdout","message":"…"} on each line
enum class LogFormat { Raw, Stamped, Json };

inline constexpr std::string_view kLogFormatNames[] = {"raw", "stamped", "json"};
std::optional<LogFormat> parse_log_format(std::string_view name);

/// One file of what a job has written, as procsup-logger offers it to a reader. Files of a stream are numbered in
/// the order they were written; the current one, which still grows, has the highest number.
struct LogFile {
    std::uint32_t stream = 0;  ///< which stream of which instance, as the logger numbers them
    std::string job, instance;
    std::string stream_name;  ///< "stdout" or "stderr"
    LogFormat format = LogFormat::Raw;
    std::uint64_t number = 0;
    bool compressed = false;  ///< by zstd; never the current one
    bool current = false;
    std::uint64_t size = 0;  ///< bytes at the time it was offered
};

/// What a run wrote to one of its streams at last.
struct LastLines {
    std::string stream;  ///< "stdout" or "stderr"
    std::vector<std::string> lines;
};

/// How it is with the output of an instance that is captured.
struct CapturedOutput {
    std::string problem;                ///< why it cannot be written at present; empty: it can
    std::vector<LastLines> last_lines;  ///< of its newest run that has failed
};

/// Where a run of an instance begins in the files of one of its streams.
struct LogRun {
    std::int64_t time = 0;     ///< microseconds since 1970
    std::uint64_t number = 0;  ///< of the file
    std::uint64_t offset = 0;  ///< in it, before it was compressed
};

/// One of the connections that all of a reader's files come over: each logger offers those that it writes.
struct LogReading {
    Fd connection;
    std::size_t writers = 1;  ///< how many there are
    std::string disk;         ///< where the file system of this one's files is mounted
};

/// What comes over a reading connection, which is a SOCK_SEQPACKET socket with one JSON object a packet. The first packets
/// offer every file there is, oldest first for each stream, each with a descriptor of its own for reading (SCM_RIGHTS). A
/// reader has to expect:
///   {"file": {…}}                            and a descriptor
///   {"runs": {"stream": 3, "runs": [[TIME, NUMBER, OFFSET], …]}}   behind a stream's files; the oldest first, the newest 64
///   {"grown": {"stream": 3, "number": 17, "size": 4711}}
///   {"missed": {"stream": 3, "files": 2}}    files that were written and removed while the reader was slow
///   {"records": {"name": "web", "older": false}}     instead of "file", of the history of jobs, and a descriptor
///   {"problem": {"of": "web stdout", "text": "…"}}   a file that could not be opened
///   {"listed": true}                         all files that existed at the beginning were offered
/// Without `follow` the logger closes the connection after that. With it, "grown" tells the size that a current file has
/// reached, at most one for each stream waiting to be sent; a rotation is a "file" with a new number, and of the one before
/// nothing more will come. The reader sends nothing.
namespace log_reading {
std::string file_packet(const LogFile& file);
/// Of the "file" member; nothing: it is not one.
std::optional<LogFile> file_of(const json::Value& packet);
inline constexpr std::size_t kMostRuns = 64;
std::string runs_packet(std::uint32_t stream, std::span<const LogRun> runs);
/// Of the "runs" member.
std::vector<LogRun> runs_of(const json::Value& member);
std::string grown_packet(std::uint32_t stream, std::uint64_t number, std::uint64_t size);
std::string missed_packet(std::uint32_t stream, std::uint64_t files);
std::string records_packet(std::string_view name, bool older);
std::string problem_packet(std::string_view of, std::string_view text);
std::string listed_packet();
inline constexpr std::size_t kMaxPacket = 4096;
}  // namespace log_reading

}  // namespace procsup
