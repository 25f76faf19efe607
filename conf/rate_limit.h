#pragma once

#include <cstdint>
#include <string>

#include "common/units.h"

namespace procsup {

/// So many of something in any time of this length; a count of 0: any number.
struct RateLimit {
    std::uint32_t count = 0;
    Duration window{};

    friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// "5/1min", "none"
inline std::string to_text(const RateLimit& limit) {
    return limit.count == 0 ? "none" : std::to_string(limit.count) + "/" + to_text(limit.window);
}

}  // namespace procsup
