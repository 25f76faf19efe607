#pragma once

#include <string_view>

/// What procsupctl ends with (the conventions of LSB init scripts, systemctl, timeout(1) and env(1)). The code
/// of a child that `run`, `exec` or `wait` reports is passed on as it is.
namespace procsup::ctl {

inline constexpr int kSuccess = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotRunning = 3;     ///< status verbs
inline constexpr int kStatusUnknown = 4;  ///< status verbs: no such job, or not allowed to know
inline constexpr int kNoPermission = 4;   ///< action verbs
inline constexpr int kNoSuchJob = 5;      ///< action verbs
inline constexpr int kBadConfiguration = 6;
inline constexpr int kUnreachable = 69;  ///< EX_UNAVAILABLE: no supervisor answers
inline constexpr int kTimedOut = 124;
inline constexpr int kRunFailed = 125;  ///< run, exec: procsupctl's own failure
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;

/// Which of the codes above a verb uses for the same error.
enum class ExitFamily { Status, Action, Run };

/// The code for an error reply, by the error's full name ("io.procsupd.Job.NoSuchJob").
int exit_code_for_error(std::string_view error, ExitFamily family);
/// The code when no supervisor answers.
int exit_code_unreachable(ExitFamily family);
/// The code when the supervisor could not execute a command: where it stopped, and the errno's name.
int exit_code_for_failed_start(std::string_view stage, std::string_view errno_name);

}  // namespace procsup::ctl
