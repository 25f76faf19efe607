// An instance that listens before it runs: what comes to its sockets starts it, and it is ended when nobody is connected.
#include <algorithm>
#include <utility>

#include "daemon/engine/instance.h"

namespace procsup {
namespace {

/// Whoever ends well each time and takes nothing from the queue would be started for ever.
constexpr RateLimit kMostDemands{200, std::chrono::seconds(2)};
/// How often it is looked within idle_timeout.
constexpr int kLooks = 4;
/// All connections of the machine are looked at.
constexpr Duration kLeastPause = std::chrono::milliseconds(250);
/// After which what has taken nothing is tried again.
constexpr Duration kDemandPause = std::chrono::seconds(10);

Duration pause_of(Duration timeout) { return std::max<Duration>(timeout / kLooks, kLeastPause); }

}  // namespace

void Instance::on(const Listens&, Context& context) {
    if (!listens_first_ || (state_ != State::Starting && state_ != State::Stopping)) return;
    if (state_ == State::Stopping) return run_ended(context);
    enter(State::Listening, cause_, context);
}

void Instance::on(const Demanded& event, Context& context) {
    if (state_ != State::Listening) return;
    demanded_ = true;
    start_run(event.cause, context);
}

/// A run has ended well, as one does that has nothing to do.
void Instance::listen_again(Context& context) {
    if (demands_.admit(kMostDemands, context.now)) return start_run("listens again after " + end_text(), context);
    next_start_ = context.now + kDemandPause;
    enter(State::Backoff, "demanded too often (" + to_text(kMostDemands) + "); last: " + end_text(), context);
    arm(TimerKind::Backoff, kDemandPause, context);
}

void Instance::watch_connections(Context& context) {
    const auto timeout = spec_->idle_timeout();
    if (!listens_ || timeout == kForever) return;
    idle_since_ = context.now;
    arm(TimerKind::IdleCheck, pause_of(timeout), context);
}

void Instance::on(const ConnectionsCounted& event, Context& context) {
    const auto timeout = spec_->idle_timeout();
    const bool runs = state_ == State::Running || state_ == State::Reloading;
    if (!runs || timeout == kForever || is_armed(TimerKind::IdleCheck)) return;
    if (!event.count || *event.count > 0) idle_since_ = context.now;
    if (context.now - idle_since_ >= timeout)
        return begin_stop("without a connection for " + to_text(timeout), context);
    arm(TimerKind::IdleCheck, pause_of(timeout), context);
}

}  // namespace procsup
