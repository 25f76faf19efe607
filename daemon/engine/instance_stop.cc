// How a run of an instance is told to end, and what becomes of those that its main process leaves behind.
#include <utility>

#include "daemon/engine/instance.h"

namespace procsup {

void Instance::on(const StopRequested& event, Context& context) {
    wanted_ = false;
    switch (state_) {
        case State::Stopped:
        case State::Exited:
        case State::Failed: return;
        case State::Waiting:
        case State::Backoff: enter(State::Stopped, event.cause, context); return;
        case State::Starting:
        case State::Running:
        case State::Paused: begin_stop(event.cause, context); return;
        case State::Stopping:
            stop_asked_ = true;
            pending_cause_ = event.cause;
            return;
    }
}

void Instance::begin_stop(std::string cause, Context& context) {
    stop_asked_ = true;
    pending_cause_ = cause;
    const bool paused = state_ == State::Paused;
    enter(State::Stopping, std::move(cause), context);
    send_stop_signal(context);
    // After the signal, so that it is the first thing they see.
    if (paused) context.actions.push_back(PauseAction{false});
}

void Instance::send_stop_signal(Context& context) {
    stop_signalled_ = true;
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
    begin_stop_signals(context);
}

void Instance::begin_stop_signals(Context& context) {
    tell_to_end(spec_->stop_signal, context);
    auto& armed = armed_[static_cast<std::size_t>(TimerKind::StopStep)];
    if (std::exchange(armed, 0) != 0) context.actions.push_back(DisarmAction{TimerKind::StopStep});
    stop_step_ = 0;
    arm_next_stop_signal(context);
}

void Instance::tell_to_end(int signal, Context& context) {
    const bool all = main_ended_ || spec_->stop_signal_to == SignalTo::All;
    context.actions.push_back(TellToEndAction{signal, all ? SignalTo::All : SignalTo::Main});
}

void Instance::send_next_stop_signal(Context& context) {
    tell_to_end(spec_->stop_steps[stop_step_++].signal, context);
    arm_next_stop_signal(context);
}

void Instance::arm_next_stop_signal(Context& context) {
    if (stop_step_ == spec_->stop_steps.size()) return;
    arm(TimerKind::StopStep, spec_->stop_steps[stop_step_].pause, context);
}

std::optional<Orphans> Instance::remainder() const {
    if (state_ != State::Stopping) return spec_->orphans;
    if (killed_ || !stop_signalled_) return Orphans::Kill;
    if (spec_->stop_scope == StopScope::Tree) return std::nullopt;
    return spec_->orphans == Orphans::Ignore ? Orphans::Ignore : Orphans::Kill;
}

/// The main process has ended, and others of its tree have not.
void Instance::left_behind(const ExitStatus& status, Context& context) {
    const auto fate = remainder();
    if (!fate) {
        // Not told yet, where only the main process was.
        if (spec_->stop_signal_to == SignalTo::Main) begin_stop_signals(context);
    } else if (*fate == Orphans::Ignore) {
        context.actions.push_back(AbandonAction{});
        run_ended(context);
    } else if (*fate == Orphans::Adopt) {
        cause_ = to_text(status) + "; runs on with what it left behind";
        since_ = context.now;
        note(state_, context);
    } else {
        if (state_ != State::Stopping) {
            enter(State::Stopping, to_text(status) + "; ending what it left behind", context);
        }
        context.actions.push_back(KillTreeAction{});
    }
}

}  // namespace procsup
