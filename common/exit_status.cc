#include "common/exit_status.h"

#include <signal.h>
#include <sysexits.h>

#include <string_view>

#include "common/signal_name.h"

namespace procsup {
namespace {

/// Names of sysexits.h: what many daemons exit with, and what their operators search for.
std::string_view exit_code_name(int code) {
    switch (code) {
        case EX_USAGE: return "EX_USAGE";
        case EX_DATAERR: return "EX_DATAERR";
        case EX_NOINPUT: return "EX_NOINPUT";
        case EX_NOUSER: return "EX_NOUSER";
        case EX_NOHOST: return "EX_NOHOST";
        case EX_UNAVAILABLE: return "EX_UNAVAILABLE";
        case EX_SOFTWARE: return "EX_SOFTWARE";
        case EX_OSERR: return "EX_OSERR";
        case EX_OSFILE: return "EX_OSFILE";
        case EX_CANTCREAT: return "EX_CANTCREAT";
        case EX_IOERR: return "EX_IOERR";
        case EX_TEMPFAIL: return "EX_TEMPFAIL";
        case EX_PROTOCOL: return "EX_PROTOCOL";
        case EX_NOPERM: return "EX_NOPERM";
        case EX_CONFIG: return "EX_CONFIG";
        default: return {};
    }
}

}  // namespace

ExitStatus ExitStatus::from_waitid(int child_code, int child_status) {
    if (child_code == CLD_EXITED) return exited(child_status);
    return killed(child_status, child_code == CLD_DUMPED);
}

std::string to_text(const ExitStatus& status) {
    if (status.by_signal()) {
        std::string text = "killed by " + signal_name(status.value);
        if (status.dumped_core) text += " (core dumped)";
        return text;
    }
    std::string text = "exit " + std::to_string(status.value);
    if (const auto name = exit_code_name(status.value); !name.empty()) {
        text.append(" (").append(name).append(")");
    }
    return text;
}

}  // namespace procsup
