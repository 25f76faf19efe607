#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/line_lookout.h"
#include "daemon/logger/memory.h"
#include "daemon/logger/stream.h"

namespace procsup::logger {

/// Moves bytes from the pipes of streams to their files so that every byte is in a file once, in order, at whatever
/// instruction the logger is killed.
///
/// splice(2) takes a batch out of the stream's pipe into the staging pipe, which nobody else writes to: how much of it is
/// left there is always known (FIONREAD), also after a crash in the middle of either call. From there it is read into
/// Memory, and only what is in Memory is written to the file, whose size tells how far that came. The journal and a pipe cannot
/// tell: of them is known what was noted after each line.
class Pump {
public:
    struct Hooks {
        std::function<Stream*(std::uint32_t)> find;  ///< the stream of a slot, or nullptr
        /// These bytes of the stream are in its file now; perhaps again after a crash.
        std::function<void(Stream&, std::string_view)> written = [](Stream&, std::string_view) {};
        /// What comes next is not of the line that these bytes have begun.
        std::function<void(Stream&)> line_ended = [](Stream&) {};
        LineLookout* lookout = nullptr;  ///< for lines that procsupd awaits
    };
    Pump(Memory& memory, Fd staging_in, Fd staging_out, Hooks hooks);

    /// Finishes what a logger before this one has begun. What cannot be written now waits, see retry().
    void recover(std::int64_t now);

    enum class Moved {
        Nothing,  ///< the pipe is empty
        Some,     ///< perhaps there is more
        End,      ///< and nobody can write to it any more
        HeldUp,   ///< nothing is taken just now, which should be over in no time: to be called again soon
        Refused,  ///< stream.problem says why
    };
    /// Moves at most one batch. `now`: microseconds since 1970, the time that the lines get.
    Moved move(Stream& stream, std::int64_t now, std::size_t& bytes);
    /// Tries to write what waits of this stream. Some: nothing of it waits any more, and more may be taken.
    Moved retry(Stream& stream, std::int64_t now);
    /// While nothing can be written: drops what the stream's settings allow to be dropped, so that its job goes on.
    void make_room(Stream& stream, std::int64_t now);
    bool has_losses(const Stream& stream) const;
    /// Tells where the lines are of those that were dropped. Some: all is told.
    Moved settle_losses(Stream& stream, std::int64_t now);
    /// What was written until now has an end, when all of that is moved.
    void let_line_end(Stream& stream) const;
    /// Ends the line that was begun. Some: there is none.
    Moved end_line(Stream& stream, std::int64_t now);
    /// The lines of a stream that is new here may have gone elsewhere until now.
    void adopt(const Stream& stream, std::int64_t now);
    /// Notes where runs begin that have written nothing yet.
    void note_runs(Stream& stream);
    /// Something that was taken out of its pipe is not in its file.
    bool has_waiting(const Stream& stream) const;

private:
    enum class Taken { Nothing, Some, End };
    Taken take(Batch& batch, Stream& stream, std::int64_t now);
    Moved begin_to_write(Batch& batch, Stream& stream, std::int64_t now);
    bool awaits(std::uint32_t slot) const;
    Phase first_phase(const Batch& batch) const;
    bool may_look(const Stream& stream) const;
    bool is_looked_through(Batch& batch);
    void look_at_dropped(const Stream& stream, std::uint64_t begin, std::string_view data) const;
    void lose(Stream& stream, std::string_view data, std::int64_t now);
    std::size_t rest_of_lost_line(Batch& batch);
    void drop_from_pipe(Stream& stream, std::size_t size, std::int64_t now);
    void limit_rate(Batch& batch, Stream& stream, std::int64_t now);
    Result<void> note_losses(Stream& stream, LineState& line);
    Result<void> note_losses(Batch& batch, Stream& stream, std::int64_t now);
    bool may_take(Stream& stream);
    Batch* idle_batch();
    Batch* waiting_batch(std::uint32_t slot);
    void take_from_staging(Batch& batch, std::size_t left);
    void look_for_waiting();
    Moved refuse(Batch& batch, Stream& stream, const Error& error, std::int64_t now);
    static Moved refuse(Stream& stream, const Error& error, std::int64_t now);
    static Moved go_on(Stream& stream);
    bool has_line_to_end(const Stream& stream) const;
    Moved resume(Batch& batch, Stream& stream, std::int64_t now);
    Moved write(Batch& batch, Stream& stream, std::int64_t now);
    Result<void> write_rest(Batch& batch, Stream& stream, std::uint32_t& told);
    Result<void> write_step(const Step& step, Stream& stream) const;
    Result<std::size_t> bytes_of_this_run(Batch& batch, Stream& stream, Progress& progress);
    bool run_begins(const Stream& stream, std::uint64_t at) const;
    Result<void> begin_run(const RunMark& mark, Stream& stream, LineState& line);

    Memory& memory_;
    Fd staging_in_, staging_out_;
    Hooks hooks_;
    bool some_wait_ = true;  ///< batches that could not be written; only then they are looked for
};

}  // namespace procsup::logger
