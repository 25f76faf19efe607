#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/json.h"
#include "common/units.h"

namespace procsup::ctl {

/// A run that has ended, as the protocol's type EndedRun describes it. Pure.
struct EndedRun {
    std::int64_t pid = 0;
    std::int64_t started_usec = 0;
    std::int64_t ended_usec = 0;
    Duration cpu{};
    std::int64_t orphans = 0;
    Duration orphans_cpu{};
    std::int64_t former_mains = 0;  ///< its main processes before the last one
    Duration former_mains_cpu{};
    std::string how{};  ///< "exit 78 (EX_CONFIG)", "killed by SIGTERM", as causes have it

    /// As `history` has it.
    Duration lasted() const { return Duration(ended_usec - started_usec); }

    /// The member `name` of `parent`; nothing when there is none, or it is null.
    static std::optional<EndedRun> of(const json::Value& parent, std::string_view name);
};

/// "203ms", "12.4s", "1min 30s": how long a run lasted or what it took, which can be far less than a second.
std::string span_text(Duration span);

/// "203ms of CPU, and 12 orphans, 310ms of CPU".
std::string cpu_text(const EndedRun& run);

/// "pid 4711, 203ms of CPU".
std::string took_text(const EndedRun& run);

}  // namespace procsup::ctl
