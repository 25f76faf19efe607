#pragma once

#include <time.h>

#include <cstdint>

#include "common/raw_syscall.h"

namespace procsup::keeper {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;

/// In nanoseconds.
inline std::int64_t monotonic_now() {
    timespec now{};
    raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace procsup::keeper
