#pragma once

#include <string>

namespace procsup {

/// How a process ended: by exit(code) or by a signal, never folded into one number.
struct ExitStatus {
    enum class Kind { Exited, Killed };
    Kind kind = Kind::Exited;
    int value = 0;  ///< the exit code (0..255), or the signal's number
    bool dumped_core = false;

    static ExitStatus exited(int code) { return {Kind::Exited, code, false}; }
    static ExitStatus killed(int signal, bool core = false) { return {Kind::Killed, signal, core}; }
    /// From the si_code and si_status of waitid(2); CLD_EXITED, CLD_KILLED and CLD_DUMPED only.
    static ExitStatus from_waitid(int child_code, int child_status);

    bool by_signal() const { return kind == Kind::Killed; }
    bool success() const { return kind == Kind::Exited && value == 0; }
    /// The code a shell would show: the exit code, or 128 + signal. Only for a program's own exit code.
    int shell_code() const { return by_signal() ? 128 + value : value; }

    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

/// "exit 3", "exit 78 (EX_CONFIG)", "killed by SIGSEGV (core dumped)".
std::string to_text(const ExitStatus& status);

}  // namespace procsup
