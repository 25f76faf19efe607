#include "daemon/host/process_status.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "common/fd.h"

namespace procsup {

std::optional<ProcessStatus> status_of(pid_t pid) {
    const Fd file(open(fmt::format("/proc/{}/status", pid).c_str(), O_RDONLY | O_CLOEXEC));
    char text[4096] = {};
    if (!file || read(file.get(), text, sizeof(text) - 1) <= 0) return std::nullopt;
    const auto number = [&](const char* name, int base) -> std::optional<std::uint64_t> {
        const char* line = strstr(text, name);
        if (line == nullptr) return std::nullopt;
        return strtoull(line + strlen(name), nullptr, base);
    };
    const auto uid = number("\nUid:", 10), blocked = number("\nSigBlk:", 16), ignored = number("\nSigIgn:", 16),
               caught = number("\nSigCgt:", 16);
    if (!uid || !blocked || !ignored || !caught) return std::nullopt;
    return ProcessStatus{static_cast<uid_t>(*uid), *blocked, *ignored, *caught};
}

}  // namespace procsup
