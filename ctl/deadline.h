#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <span>

#include "common/units.h"

namespace procsup::ctl {

/// CLOCK_MONOTONIC in microseconds.
std::int64_t monotonic_usec();

/// A moment that waiting must not pass; perhaps none.
class Deadline {
public:
    /// `limit` from now on; nothing: never.
    explicit Deadline(std::optional<Duration> limit);

    /// poll(2) until something is ready or the moment has passed; repeated after signals. False: passed.
    bool poll(std::span<pollfd> watched) const;

    /// That moment, or `limit` from now on if that is sooner.
    Deadline within(Duration limit) const;
    bool passed() const { return at_usec_ && monotonic_usec() >= *at_usec_; }

private:
    std::optional<std::int64_t> at_usec_;
};

}  // namespace procsup::ctl
