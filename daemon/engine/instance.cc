#include "daemon/engine/instance.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <utility>

namespace procsup {
namespace {

constexpr std::array kAllTimers{TimerKind::StartTimeout, TimerKind::ReadyTimeout,  TimerKind::StopTimeout,
                                TimerKind::StopStep,     TimerKind::RunTimeout,    TimerKind::ZombieCheck,
                                TimerKind::Backoff,      TimerKind::MaxLifetime,   TimerKind::Watchdog,
                                TimerKind::HealthProbe,  TimerKind::HealthRestart, TimerKind::HealthMeasure,
                                TimerKind::IdleCheck,    TimerKind::RollStep,      TimerKind::Schedule};
static_assert(kAllTimers.size() == kTimerKinds);

}  // namespace

Instance::Instance(InstanceId id, std::shared_ptr<const JobSpec> spec, InstanceName name, TimePoint now)
    : id_(id),
      spec_(std::move(spec)),
      name_(std::move(name)),
      since_(now),
      state_since_(now),
      cause_(spec_->manually_stopped ? "never started: a stop of it is remembered" : "never started") {}

bool Instance::ready() const {
    if (spec_->type == JobType::Oneshot) return state_ == State::Exited;
    return listens_ || is_up();
}

void Instance::handle(const Event& event, TimePoint now, std::minstd_rand& random, const Gate& gate, Actions& actions) {
    Context context{now, random, gate, actions};
    std::visit([&](const auto& happened) { on(happened, context); }, event);
}

const SideRun* Instance::side(Incarnation incarnation) const {
    const auto found = std::find_if(sides_.begin(), sides_.end(),
                                    [&](const SideRun& side) { return side.incarnation == incarnation; });
    return found == sides_.end() ? nullptr : &*found;
}

// ---- requests

void Instance::on(const StartRequested& event, Context& context) {
    if (spec_->serves_connection() && !event.connection) return;
    wanted_ = true;
    fails_with_.clear();
    stop_ordered_ = false;
    if (first_start_.wanted == TimePoint()) first_start_.wanted = context.now;
    switch (state_) {
        case State::Starting:
        case State::Running:
        case State::Reloading:
        case State::Paused:
        case State::Listening: return;
        case State::Stopping:
            // Taken up when the tree is empty: never two copies.
            forget_failures();
            stop_asked_ = starts_again_ = true;
            pending_cause_ = event.cause;
            return;
        case State::Exited:
            // A oneshot is up then.
            if (ready()) return;
            [[fallthrough]];
        case State::Waiting:
        case State::Stopped:
        case State::Backoff:
        case State::Failed:
            forget_failures();
            start_run(event.cause, context);
            return;
    }
}

void Instance::on(const RestartRequested& event, Context& context) {
    if (spec_->serves_connection()) return;
    const bool is_done = spec_->type == JobType::Oneshot && state_ == State::Exited;
    if (state_ == State::Listening) {
        forget_failures();
        return start_run(event.cause, context);
    }
    if (!is_done && state_ != State::Starting && !is_executing(state_)) {
        on(StartRequested{event.cause}, context);
        return;
    }
    wanted_ = starts_again_ = true;
    fails_with_.clear();
    stop_ordered_ = false;
    forget_failures();
    is_done ? take_down(event.cause, context) : begin_stop(event.cause, context);
}

void Instance::on(const ResetRequested& event, Context& context) {
    forget_failures();
    if (state_ == State::Failed) {
        wanted_ = false;
        enter(State::Stopped, event.cause, context);
    } else if (spec_->type == JobType::Task && stop_ordered_ && state_ == State::Stopped) {
        // Its schedule goes on.
        stop_ordered_ = false;
        cause_ = event.cause;
        note(state_, context);
    }
}

void Instance::on(const PauseRequested& event, Context& context) {
    if (state_ != State::Running) return;
    context.actions.push_back(PauseAction{true});
    kill_beside(SideRole::HealthProbe, context);
    kill_beside(SideRole::HealthCheck, context);
    enter(State::Paused, event.cause, context);
}

void Instance::on(const ResumeRequested& event, Context& context) {
    if (state_ != State::Paused) return;
    context.actions.push_back(PauseAction{false});
    enter(State::Running, event.cause, context);
    settle_ready(context);
}

void Instance::on(const MayStart& event, Context& context) {
    const bool is_first = first_start_.began == TimePoint();
    if (state_ == State::Waiting) start_run(pending_cause_, context);
    // Without its connection nothing is left to be started.
    if (held_back() && !spec_->serves_connection()) start_run("what it requires is there again", context);
    if (is_first && first_start_.began != TimePoint()) first_start_.waited_for = event.waited_for;
}

/// The next start decides what becomes of it: perhaps what it needs is there again by then.
void Instance::on(const RequirementLost& event, Context& context) {
    if (state_ == State::Starting || is_executing(state_)) {
        begin_stop(event.cause, context);
    } else if (state_ == State::Waiting || state_ == State::Backoff || state_ == State::Listening) {
        start_run(event.cause, context);
    }
}

/// Whoever looks after the group decides when it is started again.
void Instance::on(const GroupFailed& event, Context& context) {
    const bool goes_down = state_ == State::Starting || is_executing(state_) || state_ == State::Stopping;
    const bool rests = state_ == State::Waiting || state_ == State::Listening || state_ == State::Backoff;
    if (rests || (goes_down && wanted_)) {
        starts_again_ = wanted_ = false;
        fails_with_ = event.cause;
    }
    // What comes from now on is not waited for.
    const bool listened = std::exchange(listens_, false);
    switch (state_) {
        case State::Waiting:
        case State::Listening:
        case State::Backoff: fail(event.cause, std::nullopt, context); return;
        case State::Starting:
        case State::Running:
        case State::Reloading:
        case State::Paused: begin_stop(event.cause, context); return;
        case State::Stopping:
            pending_cause_ = event.cause;
            stop_asked_ = true;
            if (listened) note(state_, context);
            return;
        case State::Exited: on(StopRequested{event.cause}, context); return;
        case State::Stopped:
        case State::Failed: return;
    }
}

// ---- facts

/// More than once: another process can become the main one, which was not told yet what the one before was.
void Instance::on(const Spawned& event, Context& context) {
    const bool another = pid_ != 0 && pid_ != event.pid;
    pid_ = event.pid;
    if (another && state_ == State::Stopping && stop_signalled_ && !killed_) tell_to_end(spec_->stop_signal, context);
}

void Instance::on(const Execed&, Context& context) {
    executed_ = true;
    began_ = context.now;
    if (state_ != State::Starting) return;
    works_ = works_ || !spec_->readiness.is_declared();
    ready_ = works_ && spec_->hook(Hook::PostStart) == nullptr;
    // It may have said so before it is known to run.
    if (ready_ && spec_->readiness.is_declared()) cause_ += ", ready after " + to_text(Duration::zero());
    enter(State::Running, cause_, context);
    if (!works_) await_ready(context);
    settle_ready(context);
}

void Instance::on(const NotStarted& event, Context& context) {
    start_error_ = event.os_error;
    start_stage_ = event.stage;
    start_text_ = event.text;
    run_exit_.reset();
    uptime_ = Duration::zero();
    run_ended(context);
}

void Instance::on(const Exited& event, Context& context) {
    main_ended_ = true;
    uptime_ = executed_ ? std::chrono::duration_cast<Duration>(context.now - began_) : Duration::zero();
    run_exit_ = event.status;
    // One that was to be killed anyway was not killed for want of memory.
    const bool out_of_memory =
        event.account.oom.count > 0 && !killed_ && event.status.by_signal() && event.status.value == SIGKILL;
    last_run_ = EndedRun{pid_, context.now, event.status, event.account, out_of_memory, began_};
    if (event.tree_empty) {
        run_ended(context);
        return;
    }
    left_behind(context);
    // Its number may be another's from now on.
    if (main_ended_) pid_ = 0;
}

void Instance::on(const TreeEmpty& event, Context& context) {
    if (last_run_) last_run_->account = event.account;
    run_ended(context);
}

void Instance::on(const ZombiesCounted& event, Context& context) {
    if ((state_ != State::Running && state_ != State::Reloading) || !spec_->zombie_limit) return;
    if (event.count <= *spec_->zombie_limit) {
        arm(TimerKind::ZombieCheck, spec_->zombie_check, context);
        return;
    }
    timed_out_ = true;
    limit_text_ = fmt::format("zombie_limit ({}) passed: {} processes were not collected, most of them by {}",
                              *spec_->zombie_limit, event.count, event.neglected_by);
    stop_run(limit_text_, context);
}

void Instance::on(const TimerFired& event, Context& context) {
    auto& armed = armed_[static_cast<std::size_t>(event.kind)];
    if (armed == 0 || armed != event.generation) return;
    armed = 0;
    switch (event.kind) {
        case TimerKind::StartTimeout: start_overdue(context); return;
        case TimerKind::ReadyTimeout:
            ready_failed("not ready within " + to_text(spec_->readiness.timeout) + " (" + awaited() + ")", context);
            return;
        case TimerKind::Watchdog: look_for_life(context); return;
        case TimerKind::RunTimeout:
            timed_out_ = true;
            limit_text_ = "run_timeout passed";
            stop_run("run_timeout (" + to_text(spec_->run_timeout) + ") passed", context);
            return;
        case TimerKind::MaxLifetime:
            recycle_due_ = true;
            on(MayRecycle{}, context);
            return;
        case TimerKind::HealthProbe: watch_health(context); return;
        case TimerKind::HealthRestart: unhealthy(context); return;
        case TimerKind::HealthMeasure: measure_usage(context); return;
        case TimerKind::IdleCheck: context.actions.push_back(CountConnectionsAction{}); return;
        case TimerKind::RollStep:
        case TimerKind::Schedule: return;
        case TimerKind::ZombieCheck: context.actions.push_back(CountZombiesAction{}); return;
        case TimerKind::StopTimeout:
            told_ = {SIGKILL, context.now};
            if (run_over_) return kill_sides(context);
            killed_ = true;
            context.actions.push_back(KillTreeAction{});
            kill_sides(context);
            return;
        case TimerKind::StopStep: send_next_stop_signal(context); return;
        case TimerKind::Backoff:
            ++restarts_;
            start_run("restarted after " + cause_, context);
            return;
    }
}

// ---- transitions

void Instance::disarm_all(Context& context) {
    for (const auto kind : kAllTimers) {
        auto& armed = armed_[static_cast<std::size_t>(kind)];
        if (armed == 0) continue;
        armed = 0;
        context.actions.push_back(DisarmAction{kind});
    }
}

void Instance::disarm(TimerKind kind, Context& context) {
    if (std::exchange(armed_[static_cast<std::size_t>(kind)], 0) != 0) context.actions.push_back(DisarmAction{kind});
}

void Instance::enter(State state, std::string cause, Context& context) {
    const bool goes_on = is_executing(state_) && is_executing(state);
    disarm_all(context);
    const State from = std::exchange(state_, state);
    cause_ = std::move(cause);
    state_since_ = context.now;
    listens_ = state == State::Listening || (listens_ && !is_settled(state));
    if (!goes_on) since_ = context.now;
    const bool goes_on_to_run =
        state == State::Stopping || state == State::Listening || state == State::Waiting || state == State::Starting;
    if (health_ && !goes_on_to_run && !is_executing(state)) health_->mended = health_->waits = false;
    const bool goes_on_working = state == State::Running || state == State::Reloading;
    if (health_ && !goes_on_working && std::exchange(health_->checks.measures, false))
        health_check_over(false, state == State::Paused ? "it was paused meanwhile" : "it has ended meanwhile");
    if (!is_live(state)) {
        pid_ = 0;
        adopt_next_spec();
    }
    held_back_ = false;
    if (state != State::Stopping) {
        stop_held_ = stands_still_ = ends_by_itself_ = taken_down_ = starts_again_ = false;
        told_ = {};
    }
    note(from, context);
    if (state == State::Starting) arm(TimerKind::StartTimeout, spec_->start_timeout, context);
    if (state != State::Running && state != State::Reloading) return;
    const auto left_of = [&](TimerKind kind) {
        const auto left = due_[static_cast<std::size_t>(kind)] - context.now;
        return std::max(Duration::zero(), std::chrono::duration_cast<Duration>(left));
    };
    if (goes_on && !works_ && spec_->readiness.timeout != kForever) {
        arm(TimerKind::ReadyTimeout, left_of(TimerKind::ReadyTimeout), context);
    }
    const bool beside_in_time = runs_beside(SideRole::PostStart) || runs_beside(SideRole::ReloadCommand);
    if (goes_on && beside_in_time && spec_->start_timeout != kForever) {
        arm(TimerKind::StartTimeout, left_of(TimerKind::StartTimeout), context);
    }
    if (spec_->zombie_limit) arm(TimerKind::ZombieCheck, spec_->zombie_check, context);
    if (spec_->run_timeout != kForever) {
        arm(TimerKind::RunTimeout, goes_on ? left_of(TimerKind::RunTimeout) : spec_->run_timeout, context);
    }
    watch_life(context);
    go_on_watching(context);
    watch_connections(context);
    if (has_max_lifetime()) {
        arm(TimerKind::MaxLifetime, goes_on ? left_of(TimerKind::MaxLifetime) : draw_lifetime(context), context);
    }
}

/// Makes the state known that it is in now, with its cause.
void Instance::note(State from, Context& context) {
    if (history_.size() == kHistory) history_.erase(history_.begin());
    note_first_start(context.now);
    const bool ends_run = std::exchange(over_, false);
    const bool ends_start = std::exchange(start_over_, false);
    history_.push_back({context.now, from, state_, pid_, cause_, ends_run ? last_run_ : std::nullopt});
    context.actions.push_back(AnnounceAction{from, state_, ends_run, ends_start});
}

void Instance::start_run(std::string cause, Context& context) {
    if (auto obstacle = context.gate.before_start(*this); !obstacle.what.empty()) {
        wait_or_fail(std::move(obstacle), std::move(cause), context);
        return;
    }
    adopt_next_spec();
    run_spec_ = spec_;
    stop_asked_ = timed_out_ = executed_ = main_ended_ = told_to_end_ = stop_signalled_ = killed_ = run_over_ = false;
    listens_first_ = spec_->listens_first() && !std::exchange(demanded_, false);
    ready_ = works_ = after_run_done_ = reload_again_ = recycle_due_ = hangs_ = false;
    watchdog_ = spec_->has_watchdog() ? spec_->watchdog : kForever;
    began_ = context.now;
    start_cause_ = cause;
    stop_cause_.clear();
    failures_beside_.clear();
    status_text_.clear();
    said_last_.clear();
    hindrance_.clear();
    hindrance_said_.clear();
    run_exit_.reset();
    if (health_) {
        forget_health();
        health_->told.clear();
        health_->waits = false;
    }
    start_stage_ = SpawnStage::None;
    preparing_ = !listens_first_ && spec_->hook(Hook::PreStart) != nullptr;
    pending_cause_ = cause;
    if (preparing_) cause += "; running pre_start";
    enter(State::Starting, std::move(cause), context);
    if (listens_first_) {
        context.actions.push_back(ListenAction{});
        return;
    }
    if (!run_hook(Hook::PreStart, context)) context.actions.push_back(SpawnAction{false});
}

void Instance::wait_or_fail(Obstacle obstacle, std::string cause, Context& context) {
    waits_for_ = std::move(obstacle.what);
    waits_for_place_ = obstacle.place;
    pending_cause_ = std::move(cause);
    auto text = obstacle.hopeless ? "requires " + waits_for_ : pending_cause_ + "; waits for " + waits_for_;
    if (obstacle.hopeless ? held_back_ : state_ == State::Waiting) {
        // Which of many things it is now is no news.
        cause_ = std::move(text);
        return;
    }
    enter(obstacle.hopeless ? State::Failed : State::Waiting, std::move(text), context);
    held_back_ = obstacle.hopeless;
    if (held_back_ && spec_->essential) context.actions.push_back(EndDaemonAction{1});
}

void Instance::arm(TimerKind kind, Duration delay, Context& context) {
    if (delay == kForever) return;
    if (++generation_ == 0) ++generation_;
    armed_[static_cast<std::size_t>(kind)] = generation_;
    due_[static_cast<std::size_t>(kind)] = context.now + delay;
    context.actions.push_back(ArmAction{kind, generation_, context.now + delay});
}

}  // namespace procsup
