#pragma once

#include "common/event_loop.h"

namespace procsup {

/// What time of day it was at a time of the loop's clock. The two clocks cannot be read at one instant, so their distance is kept
/// while it is about the same: a moment has one time, however often it is told.
class WallClock {
public:
    /// `now` and `wall` were read one after the other.
    WallTime at(TimePoint when, TimePoint now, WallTime wall) {
        constexpr std::chrono::microseconds kAboutTheSame = std::chrono::milliseconds(1);
        const auto distance =
            wall.time_since_epoch() - std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
        if (std::chrono::abs(distance - distance_) > kAboutTheSame) distance_ = distance;
        return WallTime(distance_ + std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()));
    }

private:
    std::chrono::microseconds distance_{};
};

}  // namespace procsup
