#include "ctl/deadline.h"

#include <errno.h>
#include <time.h>

#include <algorithm>

namespace procsup::ctl {

std::int64_t monotonic_usec() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

Deadline::Deadline(std::optional<Duration> limit) {
    if (limit) at_usec_ = monotonic_usec() + limit->count();
}

Deadline Deadline::within(Duration limit) const {
    Deadline sooner(limit);
    if (at_usec_) sooner.at_usec_ = std::min(*at_usec_, *sooner.at_usec_);
    return sooner;
}

bool Deadline::poll(std::span<pollfd> watched) const {
    constexpr std::int64_t kLongestPoll = 1'000'000;  // ms; int has room for more
    for (;;) {
        std::int64_t wait_ms = -1;
        if (at_usec_) {
            // Rounded up: poll must not come back, and turn, before the moment.
            wait_ms = std::clamp<std::int64_t>((*at_usec_ - monotonic_usec() + 999) / 1000, 0, kLongestPoll);
        }
        const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(wait_ms));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
        if (ready == 0 && passed()) return false;
    }
}

}  // namespace procsup::ctl
