#pragma once

#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.h"
#include "daemon/engine/bonds.h"
#include "daemon/engine/configuration_change.h"
#include "daemon/engine/group.h"
#include "daemon/engine/instance.h"
#include "daemon/engine/links.h"
#include "daemon/engine/rolling.h"

namespace procsup {

/// What another number of instances has changed.
struct Scaling {
    std::vector<InstanceId> added;    ///< or taken back while they were leaving
    std::vector<InstanceId> leaving;  ///< are stopped, the last one first, and forgotten when they have ended
    bool starts = false;              ///< the added ones, because the job is up
};

/// Whether a name of several instances means those too that are on their way out while others of their job stay, and, as the name
/// of their job, those that serve its connections.
enum class Surplus { Without, With };

/// All jobs. Routes events to instances and their actions to the ports; owns every Instance. Single-threaded,
/// pure but for its ports. References to instances are valid until the next call that takes events or changes
/// the configuration.
class Supervisor final : private Gate {
public:
    Supervisor(ProcessBackend& backend, Timers& timers, Announcer& announcer, std::uint32_t seed);

    /// Takes over a configuration: new jobs are added (and, when enabled and not shutting down, started), vanished ones
    /// stopped and forgotten. What runs and has changed goes on with its new text where only live keys differ, and else is
    /// restarted, in the order of dependencies; or, with Restarts::Later, uses it from its next start on.
    ConfigurationChange configure(const Configured& jobs, TimePoint now, Restarts restarts);
    ConfigurationChange configure(std::vector<JobSpec> jobs, TimePoint now, Restarts restarts = Restarts::Now) {
        return configure(shared(std::move(jobs)), now, restarts);
    }
    /// What configure() would do and say.
    ConfigurationChange plan(const Configured& jobs, Restarts restarts) const;
    /// These jobs, with the texts in use where they are the same.
    Configured shared(std::vector<JobSpec> jobs) const;

    /// Adds a job for one run and starts it, as a daemon of `parent` unless that is 0; the Error says that the name is taken.
    Result<InstanceId> run_transient(JobSpec spec, std::string cause, TimePoint now, InstanceId parent = 0);

    /// From now on `job` has `count` instances, whatever its file says, until that says another number than before. The
    /// Error says why it cannot.
    Result<Scaling> scale(const std::string& job, std::uint32_t count, const std::string& cause, TimePoint now,
                          OnBehalf whom = {});

    /// Restarts the instances of a job one after the other; Announcer::roll() tells how that goes. The Error says why it
    /// was not begun.
    Result<void> roll(const std::string& job, std::string cause, TimePoint now, OnBehalf whom = {});
    bool rolls(const std::string& job) const { return rolls_.contains(job); }

    // Requests. `cause` says who asked: "stop asked by uid 0 (pid 4711)".
    /// Also starts what these instances want or require; in the order of their dependencies, as far as anything is in order.
    void start(const std::vector<InstanceId>& ids, const std::string& cause, TimePoint now, OnBehalf whom = {});
    /// In the reverse order. What requires these instances ends too, and comes back with them: see would_end().
    void stop(const std::vector<InstanceId>& ids, const std::string& cause, TimePoint now);
    /// What asks for it (on_restart) ends before them, and is started after them.
    void restart(const std::vector<InstanceId>& ids, const std::string& cause, TimePoint now, OnBehalf whom = {});
    void start(InstanceId id, const std::string& cause, TimePoint now) { start(std::vector{id}, cause, now); }
    void stop(InstanceId id, const std::string& cause, TimePoint now) { stop(std::vector{id}, cause, now); }
    void restart(InstanceId id, const std::string& cause, TimePoint now) { restart(std::vector{id}, cause, now); }
    /// The instances that run, or are to, and could not without `ids`.
    std::vector<InstanceId> would_end(const std::vector<InstanceId>& ids) const;
    void reset(InstanceId id, std::string cause, TimePoint now);
    /// From running to paused and back; false when it is in neither of the states that allow it.
    bool pause(InstanceId id, std::string cause, TimePoint now);
    bool resume(InstanceId id, std::string cause, TimePoint now);
    /// To the main process; false when the instance has none.
    bool signal(InstanceId id, int signal);
    /// To the stop_command or hook of an instance that has no main process; null when none runs. Valid as an instance is.
    const SideRun* signal_command(InstanceId id, int signal);
    /// Has it read its configuration again, by its reload_signal or reload_command; false when it does not run, or stands still.
    bool reload(InstanceId id, std::string cause, TimePoint now);

    /// Looks at the health of an instance once more; the number of that look in Instance::health_checks(), 0 when it does not run, is
    /// not ready, stands still, or has no [health].
    std::uint32_t check_health(InstanceId id, TimePoint now);

    /// Stops every instance and refuses new starts from now on.
    void shut_down(const std::string& cause, TimePoint now);
    bool shutting_down() const { return shutting_down_; }
    /// Whether no process of any instance is left.
    bool idle() const { return live_ == 0; }
    /// Whether nothing will happen by itself any more to any instance but daemons (JobSpec::daemon_of).
    bool all_but_daemons_settled() const { return unsettled_ == 0 && due_.empty(); }
    /// SIGKILL to every tree that still lives; no hook is run any more.
    void kill_all();

    /// Whether what the main process of `incarnation` leaves behind is to be killed before its exit is collected, while
    /// its process group cannot be another's yet.
    bool kills_remainder(Incarnation incarnation) const;

    // Facts from the backend and the timers.
    void spawned(Incarnation incarnation, pid_t pid, TimePoint now);
    /// `text`: what is to be said of it instead of what describe() says of the stage.
    void not_started(Incarnation incarnation, SpawnStage stage, int os_error, TimePoint now, std::string text = {});
    /// Its sockets are open.
    void listens(Incarnation incarnation, TimePoint now);
    /// Something has come to the sockets of an instance that listens.
    void demanded(InstanceId id, std::string cause, TimePoint now);
    /// Whether one more connection to the sockets of `listener` may be served; if not, that changes when one of those has settled that
    /// serve one, or when it listens again.
    bool takes_connections(InstanceId listener) const;
    struct ConnectionCount {
        std::size_t served = 0;   ///< at the moment
        std::uint64_t begun = 0;  ///< since the job exists
    };
    ConnectionCount connections_of(const Instance& listener) const;
    /// Which instance serves it; 0: none. It is not taken before serve().
    InstanceId place_for_connection(InstanceId listener, TimePoint now);
    void serve(InstanceId place, std::string cause, TimePoint now);
    /// Nothing: that could not be found out.
    void connections_counted(Incarnation incarnation, std::optional<std::uint64_t> count, TimePoint now);
    void execed(Incarnation incarnation, TimePoint now);
    void exited(Incarnation incarnation, ExitStatus status, bool tree_empty, TimePoint now,
                const Account& account = {});
    void tree_empty(Incarnation incarnation, TimePoint now, const Account& account = {});
    /// It has said so by the descriptor that was made for that, or in its output.
    void became_ready(Incarnation incarnation, TimePoint now);
    /// What is in the way, as far as that is known; `how` follows what is awaited: ", which it has closed", ": cannot connect".
    void readiness_hindered(Incarnation incarnation, std::string how, TimePoint now, std::string said = {});
    void noticed(Incarnation incarnation, Notice notice, TimePoint now);
    /// `side`: of the probe that has found it.
    void health_reported(Incarnation side, HealthVerdict verdict, std::string words, std::string said, TimePoint now);
    /// As far as it is known.
    void usage_measured(Incarnation incarnation, const TreeUsage& usage, TimePoint now);
    void zombies_counted(Incarnation incarnation, std::uint32_t count, std::string neglected_by, TimePoint now);
    void timer_fired(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint now);

    /// What the clocks of the machine show, first and whenever one was set or the machine has slept.
    void clocks_set(const Clocks& clocks, TimePoint now);
    const Clocks& clocks() const { return clocks_; }
    /// When the schedule of its job starts it, if nothing runs of it; kNever: there is none in force.
    TimePoint next_run(const Instance& instance) const;

    const Jobs& jobs() const { return jobs_; }
    const std::map<std::string, Group, std::less<>>& groups() const { return groups_; }
    const Group* find_group(std::string_view name) const;
    const Instance* find(InstanceId id) const;
    /// When the jobs of the first configuration were to be started; zero: there was none yet.
    TimePoint booted() const { return booted_; }
    /// How those came up that were started then, and are no longer configured: as many as were configured then at most.
    const std::map<InstanceId, FormerStart>& former_starts() const { return former_starts_; }
    std::vector<InstanceId> daemons_of(InstanceId id) const { return bonds_.children_of(id); }
    /// What the instance is a daemon of; null: nothing.
    const Instance* parent_of(InstanceId id) const { return find(bonds_.parent_of(id)); }
    /// Instances that `pattern` names: a job, an instance, or a glob with * and ?; in order, those behind the others that are on
    /// their way out, of which an instance's own name means each. Empty: none.
    std::vector<InstanceId> select(std::string_view pattern, Surplus surplus = Surplus::Without) const;
    std::size_t instance_count() const { return by_id_.size(); }
    std::uint64_t last_sequence() const { return sequence_; }
    /// Instances in each state, by the number of the enumerator.
    const std::array<std::size_t, kStates>& count_by_state() const { return by_state_; }

    /// Forgets transient and leaving jobs that have ended. Called when nobody holds a reference to an instance,
    /// once a turn.
    void forget_ended();

private:
    void deliver(Instance& instance, const Event& event, TimePoint now);
    void deliver(Incarnation incarnation, const Event& event, TimePoint now);
    /// Of a command beside a run, which is `last`, or not, to be heard of; what somebody waits for may be over with it.
    void deliver_beside(Incarnation side, const Event& event, bool last, TimePoint now);
    /// As deliver(), for the event after which the incarnation is no more.
    void deliver_last(Incarnation incarnation, const Event& event, TimePoint now);
    void note_transition(Instance& instance, const AnnounceAction& change, TimePoint now);
    void perform(Instance& instance, const Action& action, TimePoint now);
    void spawn_beside(Instance& instance, SideRole role, TimePoint now);
    /// Whether it is of a command that runs beside an instance's run.
    bool is_beside(Incarnation incarnation) const;
    InstanceId add_instance(Job& job, const std::shared_ptr<const JobSpec>& spec, InstanceName name, TimePoint now);
    Job& add_job(std::shared_ptr<const JobSpec> spec, TimePoint now);
    void update_job(Job& job, const std::shared_ptr<const JobSpec>& spec, Restarts restarts, TimePoint now);
    void update_instance(Instance& instance, InstanceName name, const std::shared_ptr<const JobSpec>& spec,
                         Restarts restarts, TimePoint now);
    void let_job_leave(Job& job);
    void stop_connections(const Job& job);
    bool forget_connections(Job& job);
    void name_followers(const Configured& jobs, ConfigurationChange& change) const;
    void name_pulled(const Configured& jobs, ConfigurationChange& change) const;
    bool would_be_pulled(const JobSpec& job, const Requirement* requirement) const;
    std::vector<InstanceId> all_held_up() const;
    void reconsider(const std::vector<InstanceId>& held_up, TimePoint now);
    Job* job_of(const Instance& instance);
    const Job* job_of(const Instance& instance) const;
    void erase_instance(const Instance& instance);

    /// Does what follows for others from what has happened to an instance.
    void settle(TimePoint now);

    // daemon_children.cc
    std::string waits_for_bond(const Instance& instance) const;
    void bind_daemons();
    void settle_bonds(const Instance& changed, TimePoint now);
    void end_daemons_of(const Instance& parent, TimePoint now);
    void end_daemon_child(Instance& child, const Instance& parent, TimePoint now);
    bool is_bound_to_live(const Instance& instance) const;

    // dependency_rules.cc
    Obstacle before_start(const Instance& instance) const override;
    static const Instance* holder_of_place(const Job& job, const Instance& instance);
    void settle_places(const Instance& changed, TimePoint now);
    std::string before_stop(const Instance& instance) const override;
    bool hurries() const override { return hurries_; }
    void settle_links(const Instance& changed, TimePoint now);
    void settle_link(Job& dependent, Link& link, const Instance& changed, TimePoint now);
    void settle_connections(Job& dependent, const Link& link, const LinkState& state, const Instance& changed,
                            TimePoint now);
    void requirement_down(Instance& instance, Link& link, const LinkState& state, TimePoint now);

    // group_rules.cc
    void form_groups();
    Group* group_of(const Job* job);
    void note_member_failure(const Instance& instance, State to);
    const Instance* member_that_stops(const Job& job) const;
    void settle_group(const Instance& changed, TimePoint now);
    void member_failed(const MemberFailure& failure, TimePoint now);
    void restart_others(const Group& group, const Instance& failed, const Job& job, const std::string& cause,
                        TimePoint now);
    void exhaust(Group& group, const Instance& failed, const std::string& how, TimePoint now);

    // schedule_rules.cc
    void renew_timetables(TimePoint now);
    void renew_timetable(Job& job, TimePoint now);
    void drop_timetable(Job& job);
    void tell_schedule(Job& job, ScheduleNews::Kind kind, std::string text);
    void note_due(const Job& job, TimePoint before);
    void arm_schedule(TimePoint now);
    void schedule_timer_fired(std::uint32_t generation, TimePoint now);
    void run_scheduled(Job& job, TimePoint now);
    void settle_schedule(const Instance& changed, TimePoint now);

    // scale.cc
    std::string scaling_fault(const Job& job, std::uint32_t count) const;
    void add_instance(Job& job, InstanceName name, Scaling& done, TimePoint now);

    // recycling.cc
    TimePoint before_recycle(const Instance& instance, TimePoint now) const override;
    const Instance* mended_beside(const Instance& instance) const override;
    void settle_mending(const Instance& changed, TimePoint now);
    void settle_recycling(const Instance& changed, TimePoint now);
    void recycle_one_of(const Job& job, TimePoint now);

    // connections.cc
    void note_place(const Job& job, const Instance& instance);
    Instance* free_place(Job& job, TimePoint now);
    Instance& add_place(Job& job, TimePoint now);

    // rolling.cc
    void settle_roll(const Instance& changed, TimePoint now);
    void carry_on_rolls(TimePoint now);
    void carry_on_roll(const std::string& job, TimePoint now);
    bool roll_step(const std::string& job, TimePoint now);
    bool take_next(const Job& job, Roll& roll, TimePoint now);
    bool judge_current(const std::string& job, Roll& roll, TimePoint now);
    void roll_timer_fired(InstanceId id, std::uint32_t generation, TimePoint now);
    void end_roll(const std::string& job, std::string_view instance, std::string_view why, TimePoint now);
    void end_rolls(std::string_view why, TimePoint now);

    // orders.cc
    struct Target {
        Job* job;
        Instance* instance;
        std::string cause;
    };
    std::vector<Target> targets(const std::vector<InstanceId>& ids, const std::string& cause);
    /// Adds what `jobs` want or require and is not up.
    static void add_pulled(std::vector<Job*> jobs, std::vector<Target>& targets, OnBehalf whom = {});
    /// Adds what runs and goes down with `targets` by a link that `follows`.
    static void add_followers(std::vector<Target>& targets, bool (*follows)(const Link&));
    void restart(std::vector<Target> asked, TimePoint now, OnBehalf whom = {});
    void restart_in_order(std::vector<Target> targets, TimePoint now);
    void stop_in_order(std::vector<Target> asked, bool by_order, TimePoint now);
    void start_in_order(std::vector<Target> targets, TimePoint now);
    static void last_first(std::vector<Target>& targets);
    void announce_words(Incarnation incarnation);

    ProcessBackend& backend_;
    Timers& timers_;
    Announcer& announcer_;
    std::minstd_rand random_;
    Jobs jobs_;
    struct Member {
        Instance* instance;
        Job* job;
    };
    std::unordered_map<InstanceId, Member> by_id_;
    std::unordered_map<Incarnation, Instance*> by_incarnation_;
    std::array<std::size_t, kStates> by_state_{};
    Bonds bonds_;
    std::map<std::string, Group, std::less<>> groups_;
    std::vector<MemberFailure> member_failures_;  ///< since the rules were looked at
    Clocks clocks_;
    std::set<std::pair<TimePoint, std::string>> due_;  ///< the next run of each job with a timetable
    TimePoint schedule_armed_ = kNever;                ///< for the first of them
    std::uint32_t schedule_generation_ = 0;
    std::map<std::string, Roll> rolls_;  ///< by job
    std::set<std::string> rolls_due_;    ///< to be looked at
    bool rolling_ = false;
    std::uint32_t roll_generation_ = 0;
    std::vector<InstanceId> touched_;  ///< changed since the rules were looked at
    bool settling_ = false;
    std::size_t unsettled_ = 0;  ///< of those that are no daemons
    // By the configuration that is being taken over.
    std::vector<InstanceId> to_start_, to_stop_;
    std::vector<Target> to_restart_;
    std::vector<std::string> ending_jobs_;  // for forget_ended to look at
    Actions actions_;
    InstanceId next_id_ = 1;
    Incarnation next_incarnation_ = 1;
    std::uint64_t sequence_ = 0;
    TimePoint booted_;
    std::map<InstanceId, FormerStart> former_starts_;
    bool configured_ = false;  ///< once at least
    std::size_t live_ = 0;
    bool shutting_down_ = false;
    bool hurries_ = false;  ///< everything was killed
};

}  // namespace procsup
