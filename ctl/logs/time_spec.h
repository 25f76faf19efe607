#pragma once

#include <cstdint>
#include <string_view>

#include "common/result.h"

namespace procsup::ctl {

/// A point in time as people write it, in microseconds since 1970: "10min" (ago), "now", "today", "yesterday",
/// "12:30", "12:30:05", "2026-03-03", "2026-03-03 10:00", "2026-03-03T10:11:02.5Z", "@1772532662.5". Local time unless it ends with Z.
Result<std::int64_t> parse_time(std::string_view text, std::int64_t now_usec);

}  // namespace procsup::ctl
