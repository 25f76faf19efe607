#pragma once

#include <cstdint>

#include "daemon/probe/attempt.h"
#include "daemon/probe/command_line.h"
#include "daemon/probe/exec_target.h"

namespace procsup::probe {

/// Finds out when something is ready: tries until it succeeds once, or SIGTERM comes.
///
/// The first attempt is at once. Something that takes a moment to start is seen soon: behind the first four attempts at tcp,
/// unix, http and file it waits 10, 20, 40 and 80 ms, if --interval is not shorter; from then on, and with exec always, two
/// attempts begin --interval apart. An attempt that takes longer is followed by the next one at once.
///
/// An attempt takes --timeout at most. Only what cannot be interrupted takes longer: the file system where a file or a
/// socket is may hang, and what a command has started is killed first.
///
/// With --watch it looks for ever, and says on --report what that means for its health, see watch.h. With --once it looks once, says
/// the same, and ends with 0 or 1.
///
/// Why the last attempt has failed is written to --report when it is something else than before, and to standard error at
/// the end. Everything is in one thread that sleeps in Sleeper alone; there is no heap.
class Probe {
public:
    /// `mask` is of the signals that the caller has blocked.
    Probe(const CommandLine& line, std::uint64_t mask, char** envp) : line_(line), mask_(mask), envp_(envp) {}

    /// Returns the exit code.
    int run();

private:
    Verdict look(Attempt& attempt);
    int look_once();
    int watch();
    int run_attempts();
    std::int64_t pause() const;
    void report(const Line& reason);
    void say_last_words(Attempt& attempt);

    const CommandLine& line_;
    std::uint64_t mask_;
    char** envp_;
    Sleeper sleeper_;
    ExecTarget command_;
    int failures_ = 0;  ///< up to kQuickOnes
    Line reason_;       ///< of the last attempt that was not cut short
    Line told_;         ///< on --report
};

}  // namespace procsup::probe
