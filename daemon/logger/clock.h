#pragma once

#include <time.h>

#include <cstdint>

namespace procsup::logger {

/// Microseconds of CLOCK_REALTIME or CLOCK_MONOTONIC.
inline std::int64_t clock_usec(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

inline std::int64_t wall_usec() { return clock_usec(CLOCK_REALTIME); }
inline std::int64_t monotonic_usec() { return clock_usec(CLOCK_MONOTONIC); }

}  // namespace procsup::logger
