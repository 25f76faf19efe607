#pragma once

// What ioprio_set(2) takes. <linux/ioprio.h> is not C++ in every version: it has a parameter called `class`.

namespace procsup::ioprio {

inline constexpr int kProcess = 1;  ///< IOPRIO_WHO_PROCESS

enum Class { kNone = 0, kRealtime = 1, kBestEffort = 2, kIdle = 3 };

constexpr int value(Class io_class, int level) { return io_class << 13 | level; }
constexpr bool has_class(long value) { return value >> 13 != kNone; }

}  // namespace procsup::ioprio
