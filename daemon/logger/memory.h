#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/line_format.h"

/// What the logger has to know when it begins anew in the middle of its work. It lies in a memfd that procsupd keeps, so what
/// a logger that is killed has stored, the next one finds: nothing else than that a store is there or is not.
namespace procsup::logger {

/// Where the bytes of a batch are. One batch at most is Filling or Reading, because there is one staging pipe.
enum class Phase : std::uint32_t {
    Idle,     ///< there are none
    Filling,  ///< in the stream's pipe; those that are in the staging pipe belong to this batch
    Reading,  ///< `size` of them left the stream's pipe; those no longer in the staging pipe are at the front of `data`
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
    std::uint32_t slot;  ///< of the stream
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

    char data[kSize];

private:
    Progress progress_[2];
    std::atomic<std::uint32_t> current_;
};

/// Of a stream between its batches.
struct StreamRecord {
    LineState line;
};

inline constexpr std::size_t kMostStreams = 65536;

/// As many batches as directories can be out of order at the same time without holding up the others.
struct Memory {
    std::array<Batch, 32> batches;
    std::array<StreamRecord, kMostStreams> streams;

    /// A new one, all Idle: the file it lies in.
    static Result<Fd> create();
    /// Maps it for as long as the process lives.
    static Result<Memory*> map(const Fd& file);
};

}  // namespace procsup::logger
