#include "daemon/engine/restart_policy.h"

#include <algorithm>
#include <cmath>

namespace procsup {
namespace {

bool contains(const ExitSet& set, const std::optional<ExitStatus>& status) {
    if (!status) return false;
    const auto& list = status->by_signal() ? set.signals : set.codes;
    return std::find(list.begin(), list.end(), static_cast<std::uint8_t>(status->value)) != list.end();
}

/// By `when` alone.
bool usually_restarts(const RestartPolicy& policy, const RunEnd& end) {
    const bool success = is_success(policy, end);
    switch (policy.when) {
        case Restart::No: return false;
        case Restart::OnSuccess: return success;
        case Restart::OnFailure: return !success;
        case Restart::OnAbnormal: return !success && (end.timed_out || (end.status && end.status->by_signal()));
        case Restart::Always:
        case Restart::UnlessStopped: return true;
    }
    return false;
}

}  // namespace

bool is_success(const RestartPolicy& policy, const RunEnd& end) {
    return !end.timed_out && !end.out_of_memory && contains(policy.success, end.status);
}

bool wants_restart(const RestartPolicy& policy, const RunEnd& end) {
    if (contains(policy.prevent, end.status)) return false;
    return contains(policy.force, end.status) || usually_restarts(policy, end);
}

std::string_view deciding_codes(const RestartPolicy& policy, const RunEnd& end) {
    const bool usually = usually_restarts(policy, end);
    if (wants_restart(policy, end) == usually) return {};
    return usually ? "prevent_restart_codes" : "force_restart_codes";
}

Duration restart_delay(const RestartPolicy& policy, std::uint32_t count) {
    if (count <= 1) return Duration::zero();
    const double factor = std::pow(policy.backoff, static_cast<double>(count - 2));
    const double delay = static_cast<double>(policy.delay.count()) * factor;
    const double longest = static_cast<double>(policy.delay_max.count());
    // 0 * infinity is not a number.
    if (policy.delay == Duration::zero()) return policy.delay;
    // In this order a delay that has grown to infinity is capped too.
    return delay < longest ? Duration(std::llround(delay)) : policy.delay_max;
}

Duration with_jitter(Duration delay, double jitter, std::minstd_rand& random) {
    if (delay <= Duration::zero() || jitter <= 0) return delay;
    const double share = std::uniform_real_distribution<double>(-jitter, jitter)(random);
    return Duration(std::llround(static_cast<double>(delay.count()) * (1 + share)));
}

bool StartHistory::admit(const RateLimit& limit, TimePoint now) {
    if (limit.count == 0) return true;
    if (!starts_) starts_ = std::make_unique<std::deque<TimePoint>>();
    while (!starts_->empty() && starts_->front() <= now - limit.window) starts_->pop_front();
    if (starts_->size() >= limit.count) return false;
    starts_->push_back(now);
    return true;
}

TimePoint StartHistory::admits_at(const RateLimit& limit, TimePoint now) const {
    if (limit.count == 0 || !starts_ || count(limit, now) < limit.count) return now;
    // The oldest of as many as there may be: it has to leave the window.
    return (*starts_)[starts_->size() - limit.count] + limit.window;
}

std::uint32_t StartHistory::count(const RateLimit& limit, TimePoint now) const {
    if (!starts_) return 0;
    return static_cast<std::uint32_t>(
        std::count_if(starts_->begin(), starts_->end(), [&](TimePoint start) { return start > now - limit.window; }));
}

bool StartHistory::can_reach_limit(const RestartPolicy& policy, std::uint32_t quick_deaths, TimePoint next) const {
    const auto& limit = policy.start_limit;
    auto starts = starts_ ? *starts_ : std::deque<TimePoint>();
    // Delays do not get shorter: what the limit cannot hold then does not come closer any more.
    for (std::uint32_t i = 0; i <= limit.count; ++i) {
        while (!starts.empty() && starts.front() <= next - limit.window) starts.pop_front();
        if (starts.size() >= limit.count) return true;
        starts.push_back(next);
        const auto delay = static_cast<double>(restart_delay(policy, ++quick_deaths).count());
        next += Duration(std::llround(delay * std::max(0.0, 1 - policy.jitter)));
    }
    return false;
}

void StartHistory::clear() { starts_.reset(); }

}  // namespace procsup
