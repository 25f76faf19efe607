#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "common/log_file.h"
#include "daemon/logger/output_file.h"

/// What procsupd and its logger say to each other over a SOCK_SEQPACKET socket, one JSON object a packet.
///
/// To the logger, in this order: {"begin": true} with the memory (memory.h) and the staging pipe, both ends; {"stream": …} with
/// the pipe, for each; {"work": true}, upon which it finishes what a logger before it has begun. After that:
///   {"stream": …}                               a new one, with its pipe; or new settings of one it has, without
///   {"remove": {"slot": 3}}                     read it to its end, then forget it
///   {"read": {"slots": […], "follow": false}}   with the logger's end of a reading connection (common/log_file.h)
///   {"rotate": {"slots": […]}}
///   {"ended": {"slot": 3}}                      a run has ended; asked for only where lines are written as a whole
///   {"tail": {"slot": 3, "run": 17}}            asks for the last lines of the run with that mark (memory.h)
///   {"state": {"id": 5, "dir": …, "name": …, "content": "…"}}   a file of procsupd's own; without content: to be removed
///   {"records": {"id": 6, "dir": …, "name": "web", "lines": "…"}}   to be added to a file of records (record_file.h)
///   {"used": {"dir": …, "names": […], "more": true}}   whose files of records are in use; with more, the list goes on in the next
///   {"history": {"dir": …, "names": […]}}       with the logger's end of a connection that their files of records are offered over
///   {"end": true}                               read all to their ends, then exit
/// The end of the connection means that procsupd has died: all that is still written is read, and then it exits.
///
/// From the logger:
///   {"problem": {"slot": 3, "text": "…"}}       why it cannot write at present; empty: it can again
///   {"removed": {"slot": 3}}
///   {"tail": {"slot": 3, "run": 17, "lines": ["…"]}}
///   {"line": {"slot": 3, "run": 17, "fault": ""}}   the line that was awaited there (awaited_line.h) was written; or why that may
///                                               not be seen
///   {"stored": {"id": 5, "error": "…"}}         the file is on the disk, or why it is not
///   {"recorded": {"id": 6, "error": "…"}}       the lines are in their file, or why they are not
namespace procsup::logger {

/// What happens to output that cannot be written at present.
enum class OnFull { Block, DropNewest, DropOldest };

/// What the lines of a stream are written to.
enum class Destination {
    Files,
    Journal,
    Output,  ///< procsupd's own
};

/// One standard stream of one instance and how it is kept.
struct CapturedStream {
    std::uint32_t slot = 0;  ///< its place in Memory::streams
    std::string job, instance;
    std::string name;                     ///< "stdout" or "stderr"
    Destination to = Destination::Files;  ///< elsewhere what is said of files does not matter
    std::string dir;                      ///< absolute
    LogFormat format = LogFormat::Stamped;
    Retention retention;
    OnFull on_full = OnFull::Block;
    std::uint32_t rate_lines = 0;  ///< that may be written in rate_window (microseconds); 0: any
    std::int64_t rate_window = 0;
    std::int64_t sync =
        -1;  ///< microseconds until what was written is put on the disk at the latest; -1: as the kernel likes
    bool mirror = false;         ///< its lines go to the logger's standard output too
    std::optional<gid_t> group;  ///< who may read its files, besides the logger's user

    /// "web@0.out.log". No two streams have the same name, whatever their jobs are called.
    std::string file_name() const { return instance + (name == "stderr" ? ".err.log" : ".out.log"); }

    friend bool operator==(const CapturedStream&, const CapturedStream&) = default;
};

/// What has to outlive procsupd.
struct StateFile {
    std::int64_t id = 0;
    std::string dir;                     ///< absolute
    std::string name;                    ///< a path below it
    std::optional<std::string> content;  ///< nothing: there is to be no such file
};

/// Lines for the file of records of `name`.
struct Records {
    std::int64_t id = 0;
    std::string dir;  ///< absolute
    std::string name;
    std::string lines;
};

/// Whose files of records there are to be.
struct UsedRecords {
    std::string dir;
    std::vector<std::string> names;
    bool more = false;
};

/// Whose files of records somebody wants to read.
struct WantedRecords {
    std::string dir;
    std::vector<std::string> names;
};

std::string stream_packet(const CapturedStream& stream);
CapturedStream stream_of(const json::Value& member);

inline constexpr std::string_view kBeginPacket = R"({"begin":true})";
inline constexpr std::string_view kWorkPacket = R"({"work":true})";
inline constexpr std::string_view kEndPacket = R"({"end":true})";
/// {"remove": {"slot": 3}} and the like.
std::string slot_packet(std::string_view what, std::uint32_t slot);
std::string read_packet(const std::vector<std::uint32_t>& slots, bool follow);
std::string rotate_packet(const std::vector<std::uint32_t>& slots);
std::vector<std::uint32_t> slots_of(const json::Value& member);
std::string tail_packet(std::uint32_t slot, std::uint32_t run);
std::string tail_packet(std::uint32_t slot, std::uint32_t run, const std::vector<std::string>& lines);
std::string state_packet(const StateFile& file);
StateFile state_of(const json::Value& member);
std::string stored_packet(std::int64_t id, std::string_view error);
/// `run`: as it is awaited; without a fault the line was there.
std::string line_packet(std::uint32_t slot, std::uint64_t run, std::string_view fault);
std::string records_packet(const Records& records);
Records records_of(const json::Value& member);
std::string recorded_packet(std::int64_t id, std::string_view error);
std::string used_packet(const UsedRecords& used);
UsedRecords used_of(const json::Value& member);
std::string history_packet(const WantedRecords& wanted);
WantedRecords wanted_of(const json::Value& member);
std::string problem_packet(std::uint32_t slot, std::string_view text);

}  // namespace procsup::logger
