#pragma once

#include <cstddef>
#include <cstdint>

/// What procsupd and procsup-keeper say to each other.
///
/// A keeper is the parent of one instance's main process, and a child subreaper: whatever the job starts, with
/// setsid(2) or a double fork or not, stays below it. It is started by a process of procsupd's that has made itself a
/// subreaper, cloned the main process and blocked every signal, as
///
///     procsup-keeper INSTANCE PID      the name is for who looks at ps(1); PID is the main process
///
/// Each message is one packet of a SOCK_SEQPACKET socket, and one of the structures below as it lies in memory; both
/// ends come out of one build. The keeper reads at most one Order between two looks at its children and answers none but
/// GoOnWith.
/// Its exit code is 0 when nothing is left of the job, and kNotStarted when it could not begin.
namespace procsup::keeper {

constexpr int kSocketFd = 3;  ///< to procsupd
constexpr int kLockFd = 4;    ///< held open as long as the keeper runs, and not touched
constexpr int kNotStarted = 2;

enum class Op : std::uint32_t {
    /// `signal` to the main process; nothing once that has been collected.
    SignalMain = 1,
    /// `signal` to every process of the job.
    SignalAll = 2,
    /// Ends every process of the job, whatever it does about it. From here on other orders are read and ignored, and
    /// the keeper ends with the last process. The end of procsupd's side of the socket means the same.
    KillAll = 3,
    /// SIGSTOP to every process of the job, until all that exist are stopped; the next order puts an end to it.
    Pause = 4,
    /// SIGCONT to every process of the job.
    Resume = 5,
    /// The job may name another main process: the keeper is to ask before it collects the main one (Kind::MainAtEnd).
    AskAtEnd = 6,
    /// The answer to that. `signal` is the pid of another process, of which a pidfd comes with it: if it is a child of the
    /// keeper that has not been collected, it is the main process from now on (Kind::GoesOn). Otherwise, or with 0, the run's
    /// main process has ended.
    GoOnWith = 7,
};

/// procsupd to keeper.
struct Order {
    Op op;
    std::int32_t signal;  ///< for SignalMain and SignalAll; for GoOnWith a pid
};

enum class Kind : std::uint32_t {
    /// The main process has ended: sent once. With `empty` it is the last report.
    MainEnded = 1,
    /// The last process has ended, some time after the main process: sent once.
    Empty = 2,
    /// The main process has ended and is not collected, and neither is anything else, before there is an answer, or
    /// everything is to be killed: one that might follow it keeps its exit status until then.
    MainAtEnd = 3,
    /// The one before is collected as any other process, and that of the pid in `status` is the main one.
    GoesOn = 4,
};

/// Keeper to procsupd: one or two in its life, and two for each main process that another one follows. None is lost when
/// procsupd does not read for a while.
struct Report {
    Kind kind;
    std::int32_t code;      ///< of the main process: CLD_EXITED, CLD_KILLED or CLD_DUMPED
    std::int32_t status;    ///< of the main process: exit code or signal; for GoesOn a pid
    std::uint32_t orphans;  ///< how many processes the keeper has collected so far that were never the main one
    /// User and system time of the main process, of these orphans and of former main processes; of each with what it had
    /// collected itself.
    std::uint64_t main_usec;
    std::uint64_t orphans_usec;
    std::uint64_t former_mains_usec;
    std::uint32_t former_mains;  ///< how many of those it has collected that another one has followed
    std::uint8_t empty;          ///< 1: no process of the job is left, and the keeper ends
    std::uint8_t unused[3];
};

static_assert(sizeof(Order) == 8 && sizeof(Report) == 48 && offsetof(Report, main_usec) == 16);

}  // namespace procsup::keeper
