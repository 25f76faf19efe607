#pragma once

#include <time.h>

#include <cstdint>

namespace procsup::ctl {

/// The wall clock in microseconds since 1970, as the protocol's ...USec of points in time.
inline std::int64_t realtime_usec() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace procsup::ctl
