#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/awaited_line.h"
#include "daemon/logger/format.h"
#include "daemon/logger/own_output.h"

/// What the logger has to know when it begins anew in the middle of its work. It lies in a memfd that procsupd keeps, so what
/// a logger that is killed has stored, the next one finds: nothing else than that a store is there or is not.
namespace procsup::logger {

/// Where the bytes of a batch are. One batch at most is Filling or Reading, because there is one staging pipe.
enum class Phase : std::uint32_t {
    Idle,     ///< there are none
    Filling,  ///< in the stream's pipe; those that are in the staging pipe belong to this batch
    Reading,  ///< `size` of them left the stream's pipe; those no longer in the staging pipe are at the front of `data`
    Looking,  ///< in `data`; AwaitedLine says in which of them an awaited line was looked for. As they are, nothing is written
    Writing,  ///< in `data`; progress() says which of them are in the file
};

/// How far a batch is written. The file is as large as `file_size` says when exactly those bytes are in it.
struct Progress {
    std::uint32_t consumed = 0;
    LineState line;
    std::uint64_t file_size = 0;
    std::uint64_t file_id = 0;  ///< which file that is; 0: none yet
};

struct Batch {
    static constexpr std::size_t kSize = 256 * 1024;

    std::atomic<Phase> phase;
    std::uint32_t slot;   ///< of the stream
    std::uint64_t begin;  ///< bytes of the stream that came before it
    std::uint32_t size;
    std::int64_t time;  ///< microseconds since 1970

    const Progress& progress() const { return progress_[current_.load(std::memory_order_relaxed) & 1]; }
    /// Replaces all of it at once, as far as a reader after a crash can tell.
    void set_progress(const Progress& progress) {
        const auto next = current_.load(std::memory_order_relaxed) ^ 1;
        progress_[next & 1] = progress;
        current_.store(next, std::memory_order_release);
    }
    void enter(Phase next) { phase.store(next, std::memory_order_release); }
    /// Only what this program could have written: it is not stored anywhere that others write, but it decides what is.
    bool is_sound() const;

private:
    Progress progress_[2];
    std::atomic<std::uint32_t> current_;

public:
    char data[kSize];
};

/// Where a run of an instance begins in what it writes.
struct RunMark {
    std::uint64_t at = 0;   ///< bytes of the stream that came before
    std::int64_t time = 0;  ///< microseconds since 1970
};

/// The newest of them, numbered from 0. Added by procsupd, before the run is started: who sees a byte of the run sees its mark.
class RunMarks {
public:
    static constexpr std::uint32_t kKept = 8;

    void add(const RunMark& mark) {
        const auto number = count_.load(std::memory_order_relaxed);
        marks_[number % kKept] = mark;
        count_.store(number + 1, std::memory_order_release);
    }
    std::uint32_t count() const { return count_.load(std::memory_order_acquire); }
    const RunMark& get(std::uint32_t number) const { return marks_[number % kKept]; }

private:
    RunMark marks_[kKept];
    std::atomic<std::uint32_t> count_;
};

/// Lines that were dropped and of which the file does not tell yet.
struct Losses {
    std::uint64_t lines = 0;
    std::int64_t first = 0, last = 0;  ///< when: microseconds since 1970
    std::uint32_t in_line = 0;         ///< the last of them goes on with the next byte
};

/// Of a stream between its batches.
struct StreamRecord {
    LineState line;
    std::atomic<std::uint64_t> taken;  ///< bytes that are in batches or files
    RunMarks marks;
    std::uint32_t marks_seen;  ///< by the logger
    Losses losses;
    /// The run a line of which is awaited, stored by procsupd; kLineSeen is added by the logger; 0: none.
    std::atomic<std::uint64_t> awaited;

    /// But not what is awaited: procsupd may have gone back to this stream already.
    void clear();
    bool awaits_line() const { return is_awaited(awaited.load(std::memory_order_acquire)); }
    bool is_sound() const { return line.is_sound(); }
};

inline constexpr std::size_t kMostStreams = 65536;

/// Streams that cannot be written hold a batch each, up to one half of them; the other half is for as many directories that are
/// out of order at the same time, without holding up the others.
struct Memory {
    /// When the logger has begun what it is doing, on the monotonic clock in microseconds; 0: it waits for something to do. A
    /// disk that hangs is seen by this.
    std::atomic<std::int64_t> busy_since;
    std::array<Batch, 32> batches;
    std::array<StreamRecord, kMostStreams> streams;
    /// Of each stream, LineState::length bytes of it. Takes no memory where no line for the journal ever came in parts.
    std::array<BegunLine, kMostStreams> begun;
    /// On procsupd's own output. Takes no memory where no line was ever begun there.
    OutputRest rest;
    /// Of each stream. Takes memory where StreamRecord::awaited is not 0.
    std::array<AwaitedLine, kMostStreams> awaited;

    /// Bytes that were ever written to the stream whose pipe `pipe` is; `staging` is either end of the staging pipe. Asked
    /// from procsupd while the logger works: what it moves in that very moment is asked for again a few times.
    std::uint64_t written_to(std::uint32_t slot, int pipe, int staging) const;

    /// A new one, all Idle: the file it lies in.
    static Result<Fd> create();
    /// Maps it for as long as the process lives.
    static Result<Memory*> map(const Fd& file);

private:
    std::uint64_t on_its_way(std::uint32_t slot, int staging) const;
};

}  // namespace procsup::logger
