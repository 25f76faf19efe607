// The commands of a job that are run at moments of the life of an instance, and the one that has it reload.
#include <fmt/format.h>

#include <utility>

#include "daemon/engine/instance.h"

namespace procsup {

/// False: the job has none for this.
bool Instance::run_hook(Hook hook, Context& context) {
    if (spec_->hook(hook) == nullptr) return false;
    // What was told to end before it is gone.
    if (run_over_) told_ = {};
    context.actions.push_back(SpawnBesideAction{role_of(hook)});
    return true;
}

void Instance::hook_failed(Hook hook, const std::string& failure, Context& context) {
    const auto what = fmt::format("{} failed: {}", word_of(hook), failure);
    switch (hook) {
        case Hook::PreStart:
            if (!preparing_ || state_ != State::Starting) return;
            start_stage_ = SpawnStage::PreStart;
            start_error_ = 0;
            start_text_ = what;
            return;
        case Hook::PostStart:
            if (is_executing(state_)) ready_failed(what, context);
            return;
        case Hook::PreStop:
            if (!run_over_) add_failure_beside(what);
            tell_run_to_end(context);
            return;
        case Hook::PostStop: add_failure_beside(what); return;
        case Hook::OnFailed: failure_->cause += " (" + what + ")"; return;
    }
}

/// Nothing is left of pre_start.
void Instance::prepared(Context& context) {
    preparing_ = false;
    if (start_stage_ != SpawnStage::None) {
        run_exit_.reset();
        uptime_ = Duration::zero();
        run_ended(context);
        return;
    }
    cause_ = pending_cause_;
    // The text may have changed meanwhile.
    run_spec_ = spec_;
    context.actions.push_back(SpawnAction{true});
}

/// Of the start, or of what is given as much time.
void Instance::start_overdue(Context& context) {
    const auto limit = "start_timeout (" + to_text(spec_->start_timeout) + ")";
    if (state_ == State::Reloading) return kill_beside(SideRole::ReloadCommand, context);
    if (state_ != State::Starting) return ready_failed("post_start did not end within " + limit, context);
    timed_out_ = true;
    limit_text_ = preparing_ ? "start_timeout passed while pre_start ran" : "start_timeout passed";
    enter(State::Stopping, limit + " passed", context);
    if (preparing_) {
        start_stage_ = SpawnStage::PreStart;
        start_text_ = "pre_start was ended";
        run_over_ = true;
        kill_sides(context);
    } else {
        context.actions.push_back(KillTreeAction{});
    }
}

void Instance::on(const ReloadRequested& event, Context& context) {
    if (is_beside(SideRole::ReloadCommand)) {
        // It may have read already what is to be read again.
        reload_again_ = true;
        return;
    }
    ++reloads_.begun;
    if (spec_->reload_command.empty()) return reload_over("it is not configured any more", context);
    if (!ready_ || (state_ != State::Running && state_ != State::Reloading)) {
        return reload_over("it was not run once more", context);
    }
    context.actions.push_back(SpawnBesideAction{SideRole::ReloadCommand});
    enter(State::Reloading, event.cause + "; running reload_command", context);
    beside_began_ = context.now;
    arm(TimerKind::StartTimeout, spec_->start_timeout, context);
}

/// What ends with its run is no reload that is over.
void Instance::reload_over(std::string failure, Context& context) {
    if (!is_executing(state_)) return;
    reloads_.over = reloads_.begun;
    reloads_.failure = std::move(failure);
    if (state_ == State::Reloading) return enter(State::Running, reloads_.text(), context);
    cause_ += "; " + reloads_.text();
    note(state_, context);
}

/// Nothing is left of the run.
void Instance::after_run(Context& context) {
    const bool never_begun =
        listens_first_ || (start_stage_ == SpawnStage::Cancelled && spec_->hook(Hook::PreStart) == nullptr);
    const bool wanted = !std::exchange(after_run_done_, true) && !never_begun && !context.gate.hurries();
    if (!wanted || spec_->hook(Hook::PostStop) == nullptr || spec_->stop_timeout == Duration::zero()) {
        settle_end(context);
        return;
    }
    run_over_ = true;
    enter(State::Stopping, end_text() + "; running post_stop", context);
    ends_by_itself_ = stop_held_ = false;
    run_hook(Hook::PostStop, context);
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
}

/// The job has failed and is not started again by itself; `end_code`: the daemon is to end with that.
void Instance::fail(std::string cause, std::optional<int> end_code, Context& context) {
    failure_ = Failure{std::move(cause), end_code};
    const bool has_hook = spec_->hook(Hook::OnFailed) != nullptr && spec_->stop_timeout > Duration::zero();
    if (!has_hook || context.gate.hurries()) {
        settle_failure(context);
        return;
    }
    run_over_ = true;
    // The end of the run is told with what it has come to.
    const bool ends_run = std::exchange(over_, false), ends_start = std::exchange(start_over_, false);
    enter(State::Stopping, failure_->cause + "; running on_failed", context);
    over_ = ends_run;
    start_over_ = ends_start;
    ends_by_itself_ = stop_held_ = false;
    run_hook(Hook::OnFailed, context);
    arm(TimerKind::StopTimeout, spec_->stop_timeout, context);
}

void Instance::settle_failure(Context& context) {
    auto failure = *std::exchange(failure_, std::nullopt);
    if (stop_asked_ && wanted_) {
        start_run(pending_cause_, context);
    } else if (stop_asked_ && !fails_with_group()) {
        enter(State::Stopped, pending_cause_ + "; " + failure.cause, context);
    } else {
        // As what has failed by itself: a text that mends it starts it again.
        wanted_ = wanted_ || fails_with_group();
        enter(State::Failed, std::move(failure.cause), context);
        if (failure.end_code) context.actions.push_back(EndDaemonAction{*failure.end_code});
    }
}

RunOutcome Instance::outcome() const { return {result(), run_exit_, failure_ ? failure_->cause : end_text()}; }

RunResult Instance::result() const {
    if (hangs_) return RunResult::Watchdog;
    if (timed_out_ || killed_) return RunResult::Timeout;
    if (start_stage_ != SpawnStage::None) return RunResult::StartFailed;
    if (run_exit_ && last_run_ && last_run_->out_of_memory) return RunResult::OomKill;
    const bool as_told = !run_exit_ || (stop_asked_ && told_to_end_);
    if (as_told || is_success(spec_->restart, {run_exit_, false, uptime_, false})) return RunResult::Success;
    if (!run_exit_->by_signal()) return RunResult::ExitCode;
    return run_exit_->dumped_core ? RunResult::CoreDump : RunResult::Signal;
}

}  // namespace procsup
