#include "daemon/probe/watch.h"

#include "daemon/keeper/clock.h"

namespace procsup::probe {
namespace {

const char* word_of(HealthVerdict verdict) {
    switch (verdict) {
        case HealthVerdict::Unknown: return "unknown";
        case HealthVerdict::Healthy: return "healthy";
        case HealthVerdict::Unhealthy: return "unhealthy";
    }
    return "unknown";
}

}  // namespace

void HealthReport::say(HealthVerdict verdict, const Line& reason) {
    if (fd_ < 0) return;
    Line line;
    line << word_of(verdict);
    if (!reason.is_empty()) line.line(reason);
    if (line.is(told_)) return;
    Line copy = line;
    // Who could not take it now is told again with the next look.
    if (copy.tell(fd_)) told_ = line;
}

Pace::Pace(long interval, std::int64_t begun, std::uint64_t seed)
    : interval_(interval * keeper::kMillisecond),
      // Of consecutive numbers the high bits of such a product are spread evenly (Knuth, TAOCP 3, 6.4).
      first_(begun +
             static_cast<std::int64_t>((seed * 0x9E3779B97F4A7C15U >> 40) % static_cast<std::uint64_t>(interval)) *
                 keeper::kMillisecond) {}

std::int64_t Pace::next(std::int64_t begun, std::int64_t now) {
    std::int64_t due = begun + interval_;
    if (is_first_ && first_ > now) due = first_;
    is_first_ = false;
    return due < now ? now : due;
}

}  // namespace procsup::probe
