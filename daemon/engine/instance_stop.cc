// How a run of an instance is told to end, and what becomes of those that its main process leaves behind.
#include <fmt/format.h>

#include <utility>

#include "common/signal_name.h"
#include "daemon/engine/instance.h"

namespace procsup {

void Instance::on(const StopRequested& event, Context& context) {
    wanted_ = starts_again_ = demanded_ = false;
    fails_with_.clear();
    stop_ordered_ = stop_ordered_ || event.by_order;
    // What comes from now on is not waited for.
    const bool listened = std::exchange(listens_, false);
    if (first_start_.wanted != TimePoint()) first_start_.over = true;
    switch (state_) {
        case State::Stopped: return;
        case State::Exited:
            if (spec_->type == JobType::Oneshot) take_down(event.cause, context);
            return;
        case State::Failed:
            if (held_back_) enter(State::Stopped, event.cause, context);
            return;
        case State::Waiting:
        case State::Listening:
        case State::Backoff: enter(State::Stopped, event.cause, context); return;
        case State::Starting:
        case State::Running:
        case State::Reloading:
        case State::Paused: begin_stop(event.cause, context); return;
        case State::Stopping:
            if (std::exchange(ends_by_itself_, false)) return begin_stop(event.cause, context);
            stop_asked_ = true;
            pending_cause_ = event.cause;
            if (stop_cause_.empty()) stop_cause_ = event.cause;
            if (listened) note(state_, context);
            return;
    }
}

void Instance::begin_stop(std::string cause, Context& context) {
    stop_asked_ = true;
    pending_cause_ = cause;
    if (stop_cause_.empty()) stop_cause_ = cause;
    // Nobody can use it yet that would have to end before it.
    const auto others = preparing_ ? std::string() : context.gate.before_stop(*this);
    if (others.empty()) {
        stop_run(std::move(cause), context);
        return;
    }
    const bool paused = state_ == State::Paused;
    waits_for_ = others + " to end";
    enter(State::Stopping, std::move(cause) + "; waits for " + waits_for_, context);
    stop_held_ = true;
    stands_still_ = paused;
}

void Instance::on(const MayStop&, Context& context) {
    if (!stop_held_) return;
    if (const auto others = context.gate.before_stop(*this); !others.empty()) {
        waits_for_ = others + " to end";
        cause_ = pending_cause_ + "; waits for " + waits_for_;
    } else {
        stop_run(pending_cause_, context);
    }
}

/// The run is told to end, in the way of its job, and has stop_timeout for that.
void Instance::stop_run(std::string cause, Context& context) {
    if (taken_down_) return undo(std::move(cause), context);
    const bool paused = state_ == State::Paused || stands_still_;
    stop_held_ = stands_still_ = false;
    const bool hook = ready_ && !main_ended_ && !context.gate.hurries() && spec_->hook(Hook::PreStop) != nullptr &&
                      spec_->stop_timeout > Duration::zero();
    if (hook) {
        cause += kRunningPreStop;
    } else if (stops_by_command()) {
        cause += "; running stop_command";
    }
    end_helpers(context);
    enter(State::Stopping, std::move(cause), context);
    told_to_end_ = true;
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
    if (preparing_) {
        // Nothing else is there that could be told.
        run_over_ = true;
        tell_beside(SideRole::PreStart, context);
        return;
    }
    const bool by_command = hook || stops_by_command();
    // After a signal, so that it is the first thing they see.
    if (!by_command) begin_stop_signals(context);
    if (paused) context.actions.push_back(PauseAction{false});
    if (hook) {
        run_hook(Hook::PreStop, context);
    } else if (by_command) {
        context.actions.push_back(SpawnBesideAction{SideRole::StopCommand});
    }
}

/// pre_stop is over.
void Instance::tell_run_to_end(Context& context) {
    if (state_ != State::Stopping || run_over_ || killed_ || stop_signalled_ || context.gate.hurries()) return;
    if (stops_by_command()) {
        context.actions.push_back(SpawnBesideAction{SideRole::StopCommand});
    } else {
        begin_stop_signals(context);
    }
}

/// A command can only talk to a program that has begun, and needs time for it. That of a oneshot is for what it has done.
bool Instance::stops_by_command() const {
    return spec_->type != JobType::Oneshot && !spec_->stop_command.empty() && executed_ &&
           spec_->stop_timeout > Duration::zero();
}

/// A oneshot that has ended well is up, and goes down in its turn as what runs does.
void Instance::take_down(std::string cause, Context& context) {
    taken_down_ = true;
    failures_beside_.clear();
    begin_stop(std::move(cause), context);
}

bool Instance::undoes_by_command() const {
    return !spec_->stop_command.empty() && spec_->stop_timeout > Duration::zero();
}

void Instance::undo(std::string cause, Context& context) {
    stop_held_ = false;
    if (!undoes_by_command() || context.gate.hurries()) return settle_undone(context);
    run_over_ = true;
    teardown_ = std::make_unique<PastRun>();
    teardown_->began = context.now;
    teardown_->start_cause = cause;
    enter(State::Stopping, std::move(cause) + "; running stop_command", context);
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
    context.actions.push_back(SpawnBesideAction{SideRole::StopCommand});
}

void Instance::undo_failed(const std::string& failure) {
    const bool overdue = spec_->stop_timeout != kForever && !is_armed(TimerKind::StopTimeout);
    ++failed_undos_.count;
    failed_undos_.last =
        overdue ? "stop_command was killed: it did not end within stop_timeout, " + to_text(spec_->stop_timeout)
                : "stop_command failed: " + failure;
    add_failure_beside(failed_undos_.last);
}

/// The stop_command of a oneshot has ended, or could not be started.
void Instance::note_teardown(const SideRun& command, std::optional<ExitStatus> status, TimePoint now) {
    if (!teardown_ || command.role != SideRole::StopCommand) return;
    teardown_->teardown = true;
    teardown_->ended = now;
    teardown_->pid = command.pid;
    teardown_->status = status;
}

void Instance::settle_undone(Context& context) {
    if (teardown_) {
        teardown_->end_cause = !failures_beside_.empty() ? failures_beside_ : to_text(*teardown_->status);
        past_run_ = std::move(teardown_);
        start_over_ = true;
    }
    auto cause = pending_cause_;
    if (!failures_beside_.empty()) cause += " (" + failures_beside_ + ")";
    if (wanted_) return start_run(std::move(cause), context);
    enter(State::Stopped, std::move(cause), context);
}

/// What stop_command has left behind lives as long as the stop takes: it may be what ends the job.
void Instance::stop_command_failed(const std::string& failure, Context& context) {
    if (taken_down_) return undo_failed(failure);
    const auto what = "stop_command failed: " + failure;
    if (run_over_ || killed_ || stop_signalled_) return;
    add_failure_beside(what);
    cause_ = what + "; sending " + signal_name(spec_->stop_signal) + " instead";
    note(state_, context);
    begin_stop_signals(context);
}

void Instance::add_failure_beside(const std::string& what) {
    failures_beside_ += (failures_beside_.empty() ? "" : "; ") + what;
}

void Instance::begin_stop_signals(Context& context) {
    stop_signalled_ = true;
    tell_to_end(spec_->stop_signal, context);
    disarm(TimerKind::StopStep, context);
    stop_step_ = 0;
    arm_next_stop_signal(context);
}

void Instance::tell_to_end(int signal, Context& context) {
    told_ = {signal, context.now};
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

TimePoint Instance::kill_due() const {
    if (state_ != State::Stopping || !is_armed(TimerKind::StopTimeout)) return kNever;
    return due_[static_cast<std::size_t>(TimerKind::StopTimeout)];
}

std::optional<Orphans> Instance::remainder() const {
    if (state_ != State::Stopping) return spec_->orphans;
    if (killed_ || !told_to_end_) return Orphans::Kill;
    if (spec_->stop_scope == StopScope::Tree) return std::nullopt;
    return spec_->orphans == Orphans::Ignore ? Orphans::Ignore : Orphans::Kill;
}

/// The main process has ended, and others of its tree have not.
void Instance::left_behind(Context& context) {
    const auto fate = remainder();
    if (!fate) {
        // Not told yet, where only the main process was.
        if (!stop_signalled_ || spec_->stop_signal_to == SignalTo::Main) begin_stop_signals(context);
    } else if (*fate == Orphans::Ignore) {
        context.actions.push_back(AbandonAction{});
        run_ended(context);
    } else if (*fate == Orphans::Adopt) {
        cause_ = exit_text() + "; runs on with what it left behind";
        state_since_ = context.now;
        note(state_, context);
    } else {
        if (state_ != State::Stopping) {
            enter(State::Stopping, exit_text() + "; ending what it left behind", context);
        }
        context.actions.push_back(KillTreeAction{});
    }
}

}  // namespace procsup
