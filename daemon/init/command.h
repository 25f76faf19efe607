#pragma once

#include <sys/types.h>

#include <cstdint>

#include "daemon/init/terminal.h"

namespace procsup::init {

/// The command before it is executed: what its process needs to know. It has the caller's memory until then, and one
/// process uses it.
struct Command {
    char** argv;  ///< the element in front of it may be written to
    char** envp;
    const Terminal* terminal;
    std::uint64_t mask;    ///< of blocked signals, as procsup-init was given it
    bool ignores_sigchld;  ///< as procsup-init was given it
    bool has_terminal;     ///< it gets the foreground
    pid_t init;            ///< its parent

    static constexpr int kNotExecutable = 126;
    static constexpr int kNotFound = 127;

    /// Makes the process, which is the leader of a process group of its own and has all signals blocked until it executes;
    /// `stack` is used until then. Its pid, or -errno.
    long start(char* stack, std::uint64_t stack_size);

    /// All that the process does: ends with the exit code, after it has said why.
    int execute() const;
};

}  // namespace procsup::init
