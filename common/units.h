#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace procsup {

using Duration = std::chrono::microseconds;

/// No limit: what "none" means for a timeout.
inline constexpr Duration kForever = Duration::max();

/// Reads "500ms", "1min30s", "2h", "1.5s": one or more numbers, each with a unit of us, ms, s, min, h, d,
/// from large to small. A number without a unit is an error, because other programs mean different units
/// by it. At most 100 years.
Result<Duration> parse_duration(std::string_view text);

/// Reads "512MiB", "1GB", "0B": a number with a unit of B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB,
/// TiB (powers of 1024). A number without a unit is an error.
Result<std::uint64_t> parse_size(std::string_view text);

/// "500ms", "1min 30s", "2h 11min", "3d 4h": the two largest units, for people.
std::string to_text(Duration duration);

}  // namespace procsup
