#include "daemon/engine/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace procsup {
namespace {

constexpr std::array kAllTimers{TimerKind::StartTimeout, TimerKind::StopTimeout, TimerKind::StopStep,
                                TimerKind::RunTimeout,   TimerKind::ZombieCheck, TimerKind::Backoff};

}  // namespace

Instance::Instance(InstanceId id, std::shared_ptr<const JobSpec> spec, InstanceName name, TimePoint now)
    : id_(id), spec_(std::move(spec)), name_(std::move(name)), since_(now), cause_("never started") {}

bool Instance::ready() const {
    if (spec_->type == JobType::Oneshot) return state_ == State::Exited;
    return state_ == State::Running;
}

void Instance::set_spec(std::shared_ptr<const JobSpec> spec) {
    if (is_live(state_)) {
        next_spec_ = std::move(spec);
    } else {
        spec_ = std::move(spec);
        next_spec_.reset();
    }
}

void Instance::handle(const Event& event, TimePoint now, std::minstd_rand& random, const StartGate& gate,
                      Actions& actions) {
    Context context{now, random, gate, actions};
    std::visit([&](const auto& happened) { on(happened, context); }, event);
}

// ---- requests

void Instance::on(const StartRequested& event, Context& context) {
    wanted_ = true;
    switch (state_) {
        case State::Starting:
        case State::Running:
        case State::Paused: return;
        case State::Stopping:
            // Taken up when the tree is empty: never two copies.
            forget_failures();
            stop_asked_ = true;
            pending_cause_ = event.cause;
            return;
        case State::Waiting:
        case State::Stopped:
        case State::Backoff:
        case State::Exited:
        case State::Failed:
            forget_failures();
            start_run(event.cause, context);
            return;
    }
}

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

void Instance::on(const RestartRequested& event, Context& context) {
    if (state_ != State::Starting && state_ != State::Running && state_ != State::Paused) {
        on(StartRequested{event.cause}, context);
        return;
    }
    wanted_ = true;
    forget_failures();
    begin_stop(event.cause, context);
}

void Instance::on(const ResetRequested& event, Context& context) {
    forget_failures();
    if (state_ == State::Failed) {
        wanted_ = false;
        enter(State::Stopped, event.cause, context);
    }
}

void Instance::on(const PauseRequested& event, Context& context) {
    if (state_ != State::Running) return;
    context.actions.push_back(PauseAction{true});
    enter(State::Paused, event.cause, context);
}

void Instance::on(const ResumeRequested& event, Context& context) {
    if (state_ != State::Paused) return;
    context.actions.push_back(PauseAction{false});
    enter(State::Running, event.cause, context);
}

void Instance::on(const MayStart&, Context& context) {
    if (state_ == State::Waiting) start_run(pending_cause_, context);
}

// ---- facts

void Instance::on(const Spawned& event, Context&) { pid_ = event.pid; }

void Instance::on(const Execed&, Context& context) {
    executed_ = true;
    executed_at_ = context.now;
    if (state_ == State::Starting) enter(State::Running, cause_, context);
}

void Instance::on(const NotStarted& event, Context& context) {
    start_error_ = event.os_error;
    start_stage_ = event.stage;
    run_exit_.reset();
    uptime_ = Duration::zero();
    run_ended(context);
}

void Instance::on(const Exited& event, Context& context) {
    main_ended_ = true;
    uptime_ = executed_ ? std::chrono::duration_cast<Duration>(context.now - executed_at_) : Duration::zero();
    run_exit_ = last_exit_ = event.status;
    if (event.tree_empty) {
        run_ended(context);
        return;
    }
    left_behind(event.status, context);
    // Its number may be another's from now on.
    if (main_ended_) pid_ = 0;
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

void Instance::on(const TreeEmpty&, Context& context) { run_ended(context); }

void Instance::on(const ZombiesCounted& event, Context& context) {
    if (state_ != State::Running || !spec_->zombie_limit) return;
    if (event.count <= *spec_->zombie_limit) {
        arm(TimerKind::ZombieCheck, spec_->zombie_check, context);
        return;
    }
    timed_out_ = true;
    limit_text_ = fmt::format("zombie_limit ({}) passed: {} processes were not collected, most of them by {}",
                              *spec_->zombie_limit, event.count, event.neglected_by);
    enter(State::Stopping, limit_text_, context);
    send_stop_signal(context);
}

void Instance::on(const TimerFired& event, Context& context) {
    auto& armed = armed_[static_cast<std::size_t>(event.kind)];
    if (armed == 0 || armed != event.generation) return;
    armed = 0;
    switch (event.kind) {
        case TimerKind::StartTimeout:
            timed_out_ = true;
            limit_text_ = "start_timeout passed";
            enter(State::Stopping, "start_timeout (" + to_text(spec_->start_timeout) + ") passed", context);
            context.actions.push_back(KillTreeAction{});
            return;
        case TimerKind::RunTimeout:
            timed_out_ = true;
            limit_text_ = "run_timeout passed";
            enter(State::Stopping, "run_timeout (" + to_text(spec_->run_timeout) + ") passed", context);
            send_stop_signal(context);
            return;
        case TimerKind::ZombieCheck: context.actions.push_back(CountZombiesAction{}); return;
        case TimerKind::StopTimeout:
            killed_ = true;
            context.actions.push_back(KillTreeAction{});
            return;
        case TimerKind::StopStep: send_next_stop_signal(context); return;
        case TimerKind::Backoff:
            ++restarts_;
            start_run("restarted after " + cause_, context);
            return;
    }
}

// ---- transitions

void Instance::enter(State state, std::string cause, Context& context) {
    for (const auto kind : kAllTimers) {
        auto& armed = armed_[static_cast<std::size_t>(kind)];
        if (armed == 0) continue;
        armed = 0;
        context.actions.push_back(DisarmAction{kind});
    }
    const State from = std::exchange(state_, state);
    cause_ = std::move(cause);
    since_ = context.now;
    if (!is_live(state)) pid_ = 0;
    note(from, context);
    if (state == State::Starting) arm(TimerKind::StartTimeout, spec_->start_timeout, context);
    if (state == State::Running && spec_->zombie_limit) arm(TimerKind::ZombieCheck, spec_->zombie_check, context);
    if (state == State::Running && spec_->run_timeout != kForever) {
        const auto passed = std::chrono::duration_cast<Duration>(context.now - executed_at_);
        arm(TimerKind::RunTimeout, std::max(Duration::zero(), spec_->run_timeout - passed), context);
    }
}

/// Makes the state known that it is in now, with its cause.
void Instance::note(State from, Context& context) {
    if (history_.size() == kHistory) history_.erase(history_.begin());
    history_.push_back({context.now, from, state_, pid_, cause_});
    context.actions.push_back(AnnounceAction{from, state_});
}

void Instance::start_run(std::string cause, Context& context) {
    if (auto obstacle = context.gate.waits_for(*this); !obstacle.empty()) {
        if (state_ == State::Waiting && obstacle == waits_for_) return;
        waits_for_ = std::move(obstacle);
        pending_cause_ = cause;
        enter(State::Waiting, std::move(cause) + "; waits for " + waits_for_, context);
        return;
    }
    if (next_spec_) spec_ = std::exchange(next_spec_, nullptr);
    stop_asked_ = timed_out_ = executed_ = main_ended_ = stop_signalled_ = killed_ = false;
    run_exit_.reset();
    start_stage_ = SpawnStage::None;
    enter(State::Starting, std::move(cause), context);
    context.actions.push_back(SpawnAction{});
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

/// No process of this run is left.
void Instance::run_ended(Context& context) {
    ++runs_ended_;
    pid_ = 0;
    if (!stop_asked_) {
        settle_unasked_end(RunEnd{run_exit_, timed_out_, uptime_}, context);
    } else if (wanted_) {
        start_run(pending_cause_, context);
    } else {
        enter(State::Stopped, pending_cause_ + "; " + end_text(), context);
    }
}

void Instance::settle_unasked_end(const RunEnd& end, Context& context) {
    if (wants_restart(spec_->restart, end)) {
        schedule_restart(end, context);
        return;
    }
    const bool success = is_success(spec_->restart, end);
    enter(success ? State::Exited : State::Failed, end_text(), context);
    if (spec_->essential) context.actions.push_back(EndDaemonAction{success ? 0 : exit_code()});
}

void Instance::schedule_restart(const RunEnd& end, Context& context) {
    const auto& policy = spec_->restart;
    if (end.uptime < policy.min_uptime || !end.status) {
        ++quick_deaths_;
    } else if (end.uptime > policy.reset) {
        quick_deaths_ = 0;
    }
    if (!starts_.admit(policy.start_limit, context.now)) {
        enter(State::Failed,
              fmt::format("start_limit ({}/{}) reached; last: {}", policy.start_limit.count,
                          to_text(policy.start_limit.window), end_text()),
              context);
        if (spec_->essential || policy.on_exhausted == OnExhausted::Exit) {
            context.actions.push_back(EndDaemonAction{is_success(policy, end) ? 0 : exit_code()});
        }
        return;
    }
    const bool quick = end.uptime < policy.min_uptime || !end.status;
    const auto delay =
        quick ? with_jitter(restart_delay(policy, quick_deaths_), policy.jitter, context.random) : Duration::zero();
    if (delay == Duration::zero()) {
        ++restarts_;
        start_run("restarted after " + end_text(), context);
        return;
    }
    next_start_ = context.now + delay;
    enter(State::Backoff, end_text(), context);
    arm(TimerKind::Backoff, delay, context);
}

int Instance::exit_code() const {
    if (timed_out_) return 124;
    if (run_exit_) return run_exit_->shell_code();
    return start_error_ == ENOENT ? 127 : 126;
}

void Instance::forget_failures() {
    restarts_ = 0;
    quick_deaths_ = 0;
    starts_.clear();
}

void Instance::arm(TimerKind kind, Duration delay, Context& context) {
    if (delay == kForever) return;
    if (++generation_ == 0) ++generation_;
    armed_[static_cast<std::size_t>(kind)] = generation_;
    context.actions.push_back(ArmAction{kind, generation_, context.now + delay});
}

std::string Instance::end_text() const {
    std::string text;
    if (start_stage_ == SpawnStage::Cancelled) {
        text = describe(start_stage_, *spec_);
    } else if (start_stage_ != SpawnStage::None) {
        text = fmt::format("cannot {}: {}", describe(start_stage_, *spec_), strerrordesc_np(start_error_));
    } else {
        text = run_exit_ ? to_text(*run_exit_) : "ended";
    }
    if (timed_out_) text = limit_text_ + ", " + text;
    if (killed_) text += " (did not end within stop_timeout, " + to_text(spec_->stop_timeout) + ")";
    return text;
}

}  // namespace procsup
