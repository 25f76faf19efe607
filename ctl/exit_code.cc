#include "ctl/exit_code.h"

namespace procsup::ctl {

int exit_code_for_error(std::string_view error, ExitFamily family) {
    if (family == ExitFamily::Run) return kRunFailed;
    const bool about_status = family == ExitFamily::Status;
    const std::string_view name = error.substr(error.rfind('.') + 1);
    if (name == "NoSuchJob") return about_status ? kStatusUnknown : kNoSuchJob;
    if (name == "PermissionDenied") return about_status ? kStatusUnknown : kNoPermission;
    if (name == "BadConfiguration") return kBadConfiguration;
    if (name == "TimedOut") return kTimedOut;
    return kFailed;
}

int exit_code_unreachable(ExitFamily family) { return family == ExitFamily::Run ? kRunFailed : kUnreachable; }

int exit_code_for_failed_start(std::string_view stage, std::string_view errno_name) {
    // "exec", or "exec /usr/bin/nope"; a directory that is missing is our failure, not the command's.
    if (!stage.starts_with("exec")) return kRunFailed;
    return errno_name == "ENOENT" || errno_name == "ENOTDIR" ? kNotFound : kNotExecutable;
}

}  // namespace procsup::ctl
