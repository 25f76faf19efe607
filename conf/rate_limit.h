#pragma once

#include <cstdint>

#include "common/units.h"

namespace procsup {

/// So many of something in any time of this length; a count of 0: any number.
struct RateLimit {
    std::uint32_t count = 0;
    Duration window{};

    friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

}  // namespace procsup
