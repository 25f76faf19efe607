#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/events.h"
#include "daemon/engine/first_start.h"
#include "daemon/engine/restart_policy.h"
#include "daemon/engine/state.h"

namespace procsup {

class Instance;

/// What an instance has to wait for.
struct Obstacle {
    std::string what{};     ///< for people: "db to be ready"; empty: nothing
    bool hopeless = false;  ///< nothing is under way that would remove it
    bool place = false;     ///< another instance still has its number
};

inline constexpr TimePoint kNever = TimePoint::max();

/// What keeps an instance from being started, from being told to stop, or from being replaced by another run. MayStart, MayStop
/// and MayRecycle follow when that may be over.
class Gate {
public:
    virtual ~Gate() = default;
    virtual Obstacle before_start(const Instance& instance) const = 0;
    virtual std::string before_stop(const Instance& instance) const = 0;
    /// Everything is to end at once: what would run after a run is not run.
    virtual bool hurries() const = 0;
    /// Not after `now`: it may be replaced; else when that is to be asked again, kNever: when something has happened.
    virtual TimePoint before_recycle(const Instance& instance, TimePoint now) const = 0;
    /// Another instance of its job that is being restarted because it is unhealthy; null: none.
    virtual const Instance* mended_beside(const Instance& instance) const = 0;
};

/// A command of a job that runs beside a run of its main process, and ends with it at the latest: the run is over when that is.
struct SideRun {
    SideRole role;
    Incarnation incarnation = 0;
    std::shared_ptr<const JobSpec> spec;  ///< of whose commands it is one: the job may have another text by now
    TimePoint began{};                    ///< asked for
    pid_t pid = 0;                        ///< 0: it is not there yet
    bool left_others = false;             ///< its main process has ended, others of its tree have not

    /// Whether it can be told something in place of the job's main process.
    bool stands_alone() const { return !left_others && (role == SideRole::StopCommand || hook_of(role)); }
};

/// One past change of an instance, for `why`.
struct HistoryEntry {
    TimePoint when;
    State from;
    State to;
    pid_t pid;
    std::string cause;
    std::optional<EndedRun> run;  ///< that has come to its end with this
};

/// The state machine of one instance (states and their meaning: state.h). Pure: an event and the time in, actions
/// out; it holds no descriptor and reads no clock. The Supervisor owns it, feeds it and carries out its actions in
/// order. Every change of state goes through enter(), which also disarms the
/// timers of the state before.
class Instance {
public:
    // shared_ptr: after a change of configuration a run keeps the text it was started with, while the job
    // already holds the new one.
    Instance(InstanceId id, std::shared_ptr<const JobSpec> spec, InstanceName name, TimePoint now);

    /// `random` is drawn from for jitter; `actions` is appended to.
    void handle(const Event& event, TimePoint now, std::minstd_rand& random, const Gate& gate, Actions& actions);

    /// The text to use from the next start on, and the index and port that it gives.
    void set_spec(std::shared_ptr<const JobSpec> spec, InstanceName name);

    InstanceId id() const { return id_; }
    const InstanceName& name() const { return name_; }
    const JobSpec& spec() const { return *spec_; }
    /// That of its next start.
    const JobSpec& next_spec() const { return next_spec_ ? *next_spec_ : *spec_; }
    const InstanceName& next_name() const { return next_name_ ? *next_name_ : name_; }
    /// That of the last run; null: there was none.
    const JobSpec* run_spec() const { return run_spec_.get(); }
    /// It has failed with a text that differs from `spec` in more than live keys.
    bool failed_with_other_than(const JobSpec& spec) const;
    State state() const { return state_; }
    /// It runs and does its work, or is a one-shot that has ended well, or it listens, and whoever comes is served sooner or later.
    bool ready() const;
    /// It runs and does its work, a one-shot too.
    bool is_up() const { return is_executing(state_) && ready_; }
    /// Whether it runs and is not known to do its work yet, or is a one-shot, which has done it when it has ended.
    bool awaits_readiness() const { return is_executing(state_) && !ready(); }
    /// What for, for people: "tcp 127.0.0.1:8080".
    std::string awaited() const;
    /// The same with what the command that looks has written last, for those alone who may see what the job writes.
    std::string awaited_with_output() const;
    /// When its start is given up, if it is not ready by then, or its reload_command, if that still runs; kNever: never.
    TimePoint ready_due() const;
    /// Within what time it has to say again and again that it does its work, from now on; kForever: it has not to.
    Duration watchdog() const { return is_up() && state_ != State::Paused ? watchdog_ : kForever; }
    /// It has switched that off for the rest of its run.
    bool watchdog_off() const { return is_up() && spec_->has_watchdog() && watchdog_ == kForever; }
    /// When it has said so last, or has become ready; where there is a watchdog().
    TimePoint sign_of_life() const { return sign_of_life_; }
    /// What is known of its health; null: it runs not, or is not ready, or nothing looks.
    const HealthState* health() const;
    bool healthy() const;
    /// When it is restarted because it is unhealthy, which its restart_limit has put off; kNever: it is not.
    TimePoint health_restart_due() const;
    /// Restarts that count against that limit.
    std::uint32_t health_restarts(TimePoint now) const;
    /// The looks that were asked for one by one.
    HealthChecks health_checks() const { return health_ ? health_->checks : HealthChecks(); }
    /// What it says of itself (STATUS= of sd_notify(3)), one line; empty: nothing.
    const std::string& status_text() const { return status_text_; }
    pid_t pid() const { return pid_; }
    Incarnation incarnation() const { return incarnation_; }
    void set_incarnation(Incarnation incarnation) { incarnation_ = incarnation; }
    /// The commands that run beside its run.
    const std::vector<SideRun>& sides() const { return sides_; }
    const SideRun* side(Incarnation incarnation) const;
    /// The command that SpawnBesideAction asks for is this one.
    void add_side(SideRole role, Incarnation incarnation, TimePoint now) {
        sides_.push_back({role, incarnation, spec_, now});
    }
    void side_spawned(Incarnation incarnation, pid_t pid);
    /// When it came into its state; of a run that goes on, since when it runs, whatever it was meanwhile.
    TimePoint since() const { return since_; }
    /// When it came into its state, also of a run that goes on.
    TimePoint state_since() const { return state_since_; }
    std::uint32_t restarts() const { return restarts_; }
    /// Automatic starts that count against its start limit.
    std::uint32_t limited_starts(TimePoint now) const { return starts_.count(spec_->restart.start_limit, now); }
    /// Whether it can reach that limit as it goes on; only in State::Backoff.
    bool can_reach_start_limit() const { return starts_.can_reach_limit(spec_->restart, quick_deaths_, next_start_); }
    const std::string& cause() const { return cause_; }
    /// Without how far it has come, which that says last.
    std::string cause_before(std::string_view progress) const {
        return cause_.substr(0, cause_.size() - (cause_.ends_with(progress) ? progress.size() : 0));
    }
    static constexpr std::string_view kRunningPreStop = "; running pre_stop";
    /// Since when its program runs; in State::Starting, since when it is being started.
    TimePoint began() const { return began_; }
    const FirstStart& first_start() const { return first_start_; }
    /// Why it was started the last time.
    const std::string& start_cause() const { return start_cause_; }
    /// Its cause is about something that has come to a run that goes on, and not about its start.
    bool tells_of_later() const { return is_executing(state_) && !cause_.starts_with(start_cause_); }
    /// The newest start that is over; null: none is.
    const PastRun* past_run() const { return past_run_.get(); }
    /// The last run whose main process has ended; its account grows until no process of it is left.
    const std::optional<EndedRun>& last_run() const { return last_run_; }
    /// Where the last run failed before its program was executed; stage None when it did not.
    struct StartFailure {
        SpawnStage stage = SpawnStage::None;
        int os_error = 0;
    };
    StartFailure start_failure() const { return {start_stage_, start_error_}; }
    /// Limits at which the last run may have ended by itself, or could not start (conf/limits_behind.h).
    const std::vector<std::string>& limits_behind() const { return limits_behind_; }
    /// Runs that have come to an end, in any way, since the instance exists.
    std::uint64_t runs_ended() const { return runs_ended_; }
    /// The same when the present run has come to its end, if there is one: on_failed is run when it has.
    std::uint64_t runs_ended_with_this() const {
        return runs_ended_ + (is_live(state_) && !failure_ && !taken_down_ ? 1 : 0);
    }
    /// Due time of the next start; only in State::Backoff.
    TimePoint next_start() const { return next_start_; }
    /// What it waits for; only in State::Waiting.
    const std::string& waits_for() const { return waits_for_; }
    bool waits_for_place() const { return state_ == State::Waiting && waits_for_place_; }
    /// The exit code of a program that ends as the last run has ended: its own, 128 + signal, 124 after a time-out, 127 or
    /// 126 when it could not be executed.
    int exit_code() const;
    /// Oldest first, at most kHistory.
    const std::vector<HistoryEntry>& history() const { return history_; }
    /// What is being started only opens its sockets; in State::Starting.
    bool opens_sockets() const { return state_ == State::Starting && listens_first_; }
    /// Whether someone wants it up: what a stop clears and a start sets.
    bool wanted() const { return wanted_; }
    /// Somebody has stopped it, or had before this daemon, and nobody has asked for it since.
    bool stopped_by_order() const {
        return !wanted_ && (stop_ordered_ || (spec_->manually_stopped && first_start_.wanted == TimePoint()));
    }
    /// Failed because of what it requires alone: started when that is there again.
    /// It was ended, or is, because its group has failed.
    bool fails_with_group() const { return !fails_with_.empty(); }
    bool held_back() const { return held_back_ && wanted_; }
    /// Its job has it no more, or is no longer configured itself: it stops for that.
    bool left() const { return left_; }
    void set_left(bool left) { left_ = left; }
    /// Is among those that the Supervisor counts as not settled.
    bool counted() const { return counted_; }
    void set_counted(bool counted) { counted_ = counted; }
    /// Is to be stopped, and was not told to end, because others are to end before it.
    bool stop_held() const { return stop_held_; }
    /// When what is left of it is killed; only in State::Stopping. kNever: never, or not before something else has happened.
    TimePoint kill_due() const;
    /// The signal that it was told to end by last, SIGKILL when stop_timeout has passed; 0: it has got none.
    struct Told {
        int signal = 0;
        TimePoint when{};
    };
    const Told& told() const { return told_; }
    /// Somebody wants it started when it has ended; only in State::Stopping.
    bool starts_again() const { return starts_again_; }
    /// It is a oneshot that has ended well, and is taken down: no process of it is left but its stop_command.
    bool taken_down() const { return taken_down_; }
    /// The times that its stop_command has not undone what a oneshot has done.
    struct FailedUndos {
        std::uint32_t count = 0;
        std::string last{};  ///< for people: "stop_command failed: exit 1"
    };
    const FailedUndos& failed_undos() const { return failed_undos_; }
    /// As what runs, it has something to end when it is taken down.
    bool has_to_be_undone() const { return ready() && state_ == State::Exited && undoes_by_command(); }
    /// What becomes now of processes that its main process leaves behind: `orphans`, unless it was told to end.
    /// Nothing: they are told to end too, and have the time that is left.
    std::optional<Orphans> remainder() const;
    /// Whether what the command `side` leaves behind is to be killed: of what ends the job, only when the run is over.
    bool ends_side(const SideRun& side) const { return side.role != SideRole::StopCommand || killed_ || run_over_; }
    /// How the run has ended that is over, or would have if it were now.
    RunOutcome outcome() const;
    /// How often runs have ended in each way since the instance exists, by the number of the enumerator.
    const std::array<std::uint64_t, kRunResults>& results() const { return results_; }
    /// It ends though nobody has asked for that, and will fail or be started again: another text may mend it.
    bool may_be_mended() const;
    /// When it counts as up, if nothing happens until then: when it is ready, or, where that is not known, when it has
    /// run for min_uptime. kNever: it depends on what it will say or do.
    TimePoint proven_at() const;
    /// Has run for max_lifetime, and waits until it may be replaced.
    bool recycle_due() const { return recycle_due_; }
    /// Whether it is being restarted because it was unhealthy, up to when it is ready again.
    bool is_mended() const { return health_ && health_->mended && state_ != State::Paused; }
    /// Whether it is to be, after another one.
    bool waits_to_be_mended() const { return health_ && health_->waits; }
    /// The runs of reload_command, counted since the instance exists.
    struct Reloads {
        std::uint32_t begun = 0;
        std::uint32_t over = 0;
        std::string failure{};  ///< of the last one that is over; empty: it has ended well
        std::string text() const {
            return failure.empty() ? "reload_command has ended well" : "reload_command failed: " + failure;
        }
    };
    const Reloads& reloads() const { return reloads_; }
    /// The one that answers a reload that is asked for now, or was last.
    std::uint32_t newest_reload() const { return reloads_.begun + (reload_again_ ? 1 : 0); }
    /// It has said that it reads its configuration again (RELOADING=1), and not that it has (READY=1).
    bool says_it_reloads() const { return state_ == State::Reloading && !is_beside(SideRole::ReloadCommand); }
    /// Whether the main process has ended and adopted processes keep the run going.
    bool adopted() const { return main_ended_ && is_executing(state_); }

    static constexpr std::size_t kHistory = 16;

private:
    struct Context {
        TimePoint now;
        std::minstd_rand& random;
        const Gate& gate;
        Actions& actions;
    };

    void on(const StartRequested& event, Context& context);
    void on(const StopRequested& event, Context& context);
    void on(const RestartRequested& event, Context& context);
    void on(const ResetRequested& event, Context& context);
    void on(const PauseRequested& event, Context& context);
    void on(const ResumeRequested& event, Context& context);
    void on(const ReloadRequested& event, Context& context);
    void on(const MayStart& event, Context& context);
    void on(const MayStop& event, Context& context);
    void on(const RequirementLost& event, Context& context);
    void on(const GroupFailed& event, Context& context);
    void on(const Spawned& event, Context& context);
    void on(const NotStarted& event, Context& context);
    void on(const Listens& event, Context& context);
    void on(const Demanded& event, Context& context);
    void on(const ConnectionsCounted& event, Context& context);
    void watch_connections(Context& context);
    void listen_again(Context& context);
    void on(const Execed& event, Context& context);
    void on(const Exited& event, Context& context);
    void on(const TreeEmpty& event, Context& context);
    void on(const SideNotStarted& event, Context& context);
    void on(const SideExited& event, Context& context);
    void on(const SideTreeEmpty& event, Context& context);
    void on(const BecameReady& event, Context& context);
    void on(const ReadinessHindered& event, Context& context);
    void on(const Noticed& event, Context& context);
    void on(const HealthReported& event, Context& context);
    void on(const HealthCheckRequested& event, Context& context);
    void on(const UsageMeasured& event, Context& context);
    void on(const ZombiesCounted& event, Context& context);
    void on(const MayRecycle& event, Context& context);
    void on(const MayBeMended& event, Context& context);
    void on(const TimerFired& event, Context& context);
    void on(const SpecChanged& event, Context& context);

    void enter(State state, std::string cause, Context& context);
    void note(State from, Context& context);
    void disarm_all(Context& context);
    void left_behind(Context& context);
    void tell_to_end(int signal, Context& context);
    void begin_stop_signals(Context& context);
    void start_run(std::string cause, Context& context);
    void begin_stop(std::string cause, Context& context);
    void stop_run(std::string cause, Context& context);
    void take_down(std::string cause, Context& context);
    void undo(std::string cause, Context& context);
    void undo_failed(const std::string& failure);
    void settle_undone(Context& context);
    void note_teardown(const SideRun& command, std::optional<ExitStatus> status, TimePoint now);
    bool undoes_by_command() const;
    void wait_or_fail(Obstacle obstacle, std::string cause, Context& context);
    void tell_run_to_end(Context& context);
    bool stops_by_command() const;
    void side_succeeded(SideRole role, Context& context);
    void side_failed(SideRole role, const std::string& failure, Context& context);
    void side_over(SideRole role, Context& context);
    /// Something of it is left, at least.
    bool is_beside(SideRole role) const;
    bool runs_beside(SideRole role) const;
    void tell_beside(SideRole role, Context& context);
    void kill_beside(SideRole role, Context& context);
    bool run_hook(Hook hook, Context& context);
    void prepared(Context& context);
    void hook_failed(Hook hook, const std::string& failure, Context& context);
    void reload_over(std::string failure, Context& context);
    void after_run(Context& context);
    void fail(std::string cause, std::optional<int> end_code, Context& context);
    void settle_failure(Context& context);
    void start_overdue(Context& context);
    void settle_ready(Context& context);
    void become_ready(Context& context);
    void add_failure_beside(const std::string& what);
    void stop_command_failed(const std::string& failure, Context& context);
    void kill_sides(Context& context);
    void end_sides(Context& context);
    void send_next_stop_signal(Context& context);
    void arm_next_stop_signal(Context& context);
    void run_ended(Context& context);
    void settle_end(Context& context);
    void note_past_run(const Context& context);
    void settle_unasked_end(const RunEnd& end, Context& context);
    void schedule_restart(const RunEnd& end, Context& context);
    void forget_failures();
    void adopt_next_spec();
    bool has_stop_time() const;
    void follow_limit(TimerKind kind, Duration before, Duration limit, TimePoint began, Context& context);
    void follow_stop_steps(const JobSpec& before, Context& context);
    void follow_zombie_limit(const JobSpec& before, Context& context);
    void follow_lifetime(const JobSpec& before, Context& context);
    void follow_backoff(const RestartPolicy& before, Context& context);
    void arm(TimerKind kind, Duration delay, Context& context);
    void arm_until(TimerKind kind, TimePoint when, Context& context);
    void disarm(TimerKind kind, Context& context);
    bool is_armed(TimerKind kind) const { return armed_[static_cast<std::size_t>(kind)] != 0; }
    void note_first_start(TimePoint now);
    void await_ready(Context& context);
    void ready_failed(std::string why, Context& context);
    void end_helpers(Context& context);
    void watch_life(Context& context);
    void note_life(const Notice& notice, Context& context);
    void look_for_life(Context& context);
    void life_lost(std::string why, Context& context);
    // instance_health.cc
    HealthWatch& health_watch();
    bool is_watched() const;
    void watch_health(Context& context);
    void go_on_watching(Context& context);
    void health_probe_over(Context& context);
    void follow_health(const JobSpec& before, Context& context);
    std::string unhealthy_text() const;
    void unhealthy(Context& context);
    void tell_health(std::string how, Context& context);
    void health_check_over(bool healthy, const std::string& failure);
    void judge_health(Context& context);
    // instance_thresholds.cc
    void watch_usage(Context& context);
    void measure_usage(Context& context);
    std::optional<std::string> exceeded(const TreeUsage& usage, TimePoint now);
    void forget_health();
    bool has_max_lifetime() const;
    Duration draw_lifetime(Context& context) const;
    void extend_timeouts(Duration by, Context& context);
    void says_that_it_ends(Context& context);
    /// It is ready as soon as its program runs.
    bool is_ready_at_once() const { return !spec_->readiness.is_declared() && spec_->hook(Hook::PostStart) == nullptr; }
    RunResult result() const;
    RunEnd run_end() const;
    std::string end_text() const;
    std::string exit_text() const;

    InstanceId id_;
    std::shared_ptr<const JobSpec> spec_;
    std::shared_ptr<const JobSpec> next_spec_;
    std::shared_ptr<const JobSpec> run_spec_;  // what this run was spawned with: the backend refers to it
    InstanceName name_;
    std::unique_ptr<InstanceName> next_name_;

    State state_ = State::Stopped;
    bool wanted_ = false;  // up is what is asked for
    bool stop_ordered_ = false;
    bool stop_asked_ = false;  // this run's end was ordered (stop or restart)
    bool timed_out_ = false;   // this run was ended because of a limit of its own
    std::string limit_text_;   // which one: "run_timeout passed"
    std::string hindrance_;    // to becoming ready
    std::string hindrance_said_;
    bool held_back_ = false;
    bool left_ = false;
    bool counted_ = false;
    bool listens_first_ = false;  // what is started only listens
    bool listens_ = false;        // its sockets are open, and stay so until it is settled
    bool demanded_ = false;       // the next start is for what has come to them
    TimePoint idle_since_;
    StartHistory demands_;
    bool ends_by_itself_ = false;  // as it says; nobody has told it to
    bool stop_held_ = false;
    bool starts_again_ = false;
    Told told_;
    bool taken_down_ = false;
    FailedUndos failed_undos_;
    bool stands_still_ = false;  // paused, and to be stopped
    bool recycle_due_ = false;
    bool hangs_ = false;  // is ended by its watchdog
    bool ready_ = false;
    bool works_ = false;           // as [ready] says; perhaps post_start has not ended well yet
    bool preparing_ = false;       // pre_start runs, its own process is not asked for yet
    bool after_run_done_ = false;  // post_stop was run
    bool reload_again_ = false;    // asked for while reload_command runs
    Reloads reloads_;
    struct Failure {
        std::string cause;
        std::optional<int> end_code;  // of the daemon
    };
    std::optional<Failure> failure_;  // on_failed runs, and that follows
    bool executed_ = false;           // this run's program ran
    bool main_ended_ = false;         // this run's main process is gone
    bool told_to_end_ = false;        // this run was told to end, by stop_command or a stop signal
    bool stop_signalled_ = false;     // by a stop signal
    bool run_over_ = false;           // nothing is left of this run but what runs beside it
    std::string status_text_;
    std::string fails_with_;                     // its group, for this cause: what follows its end
    std::string said_last_;                      // of a run that ended before it was ready
    std::string failures_beside_;                // of its commands, while it ended
    std::size_t stop_step_ = 0;                  // how many of its stop_steps were taken
    bool killed_ = false;                        // this run did not end in time after that
    SpawnStage start_stage_ = SpawnStage::None;  // where this run's start failed
    int start_error_ = 0;
    std::string start_text_;  // what is said of that instead of what its stage says
    pid_t pid_ = 0;
    Incarnation incarnation_ = 0;
    std::vector<SideRun> sides_;
    TimePoint since_;
    TimePoint state_since_;
    TimePoint last_reload_;
    TimePoint sign_of_life_;
    Duration watchdog_ = kForever;  // of this run
    TimePoint beside_began_;        // post_start or reload_command
    TimePoint began_;
    FirstStart first_start_;
    TimePoint next_start_;
    Duration uptime_{};  // of the run that has ended
    std::string cause_;
    std::string waits_for_;
    bool waits_for_place_ = false;
    std::string pending_cause_;  // of the state that follows stopping
    std::string start_cause_;
    std::string stop_cause_;  // of the first order that was to end this run
    std::optional<EndedRun> last_run_;
    std::optional<ExitStatus> run_exit_;  // of this run
    std::uint32_t restarts_ = 0;
    std::uint32_t quick_deaths_ = 0;
    std::vector<std::string> limits_behind_;
    std::uint64_t runs_ended_ = 0;
    std::array<std::uint64_t, kRunResults> results_{};
    bool over_ = false;        // the next change of state is the end of a run that is in last_run_
    bool start_over_ = false;  // ... and of what is in past_run_
    std::unique_ptr<PastRun> past_run_;
    std::unique_ptr<PastRun> teardown_;  // that goes on
    StartHistory starts_;
    std::unique_ptr<HealthWatch> health_;
    std::uint32_t generation_ = 0;
    std::array<std::uint32_t, kTimerKinds> armed_{};  // generation by TimerKind, 0 = not armed
    std::array<TimePoint, kTimerKinds> due_{};        // of those that are armed
    std::vector<HistoryEntry> history_;
};

}  // namespace procsup
