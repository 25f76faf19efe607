#pragma once

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/engine/supervisor.h"

namespace procsup::sim {

/// A machine with a clock of its own on which the real engine runs: processes that cannot be created, that fail before
/// exec, that exit, are killed, ignore their stop signal, or leave others behind; and timers that fire late or after they
/// were disarmed. Everything is drawn from one seed. Holds what it sees against the invariants of the engine and keeps
/// the first breach.
class FakeMachine final : public ProcessBackend, public Timers, public Announcer {
public:
    explicit FakeMachine(std::uint32_t seed) : random_(seed), reconfigures_(seed % 2 == 0) {}
    void attach(Supervisor& supervisor) { supervisor_ = &supervisor; }

    TimePoint now() const { return now_; }
    /// Lets the next thing happen that is due to happen, moving the clock to it; false when nothing is.
    bool happen();
    /// A number from 0 to `most`.
    std::uint32_t draw(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(0, most)(random_); }

    /// "" while all invariants hold.
    const std::string& breach() const { return breach_; }
    /// Compares the engine's picture of every instance with the machine's.
    void check_all();
    std::size_t live_processes() const { return runs_.size(); }
    /// Whether anything is configured anew in this run.
    bool reconfigures() const { return reconfigures_; }
    /// Another configuration takes effect.
    void configured_anew(const std::vector<InstanceId>& all);
    // What the operator has asked for last; a stop that is not taken back must hold.
    void asked_to_stop(InstanceId id) { told_to_stop_.insert(id); }
    void asked_to_start(InstanceId id) { told_to_stop_.erase(id); }
    /// Instance `by` was asked to start: with it starts what it wants or requires, and what that does.
    void may_be_pulled(InstanceId id, InstanceId by);
    /// The same of rolling restarts that are under way, which restart more than once.
    void may_be_pulled_by_rolls();
    static constexpr std::string_view kRollCause = "rolling restart";
    std::uint64_t rolls_done() const { return rolls_done_; }
    std::uint64_t health_restarts() const { return unhealthy_ends_; }
    std::uint64_t transitions() const { return transitions_; }
    bool daemon_ended() const { return daemon_ended_; }

    void spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) override;
    void listen(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) override;
    void count_connections(InstanceId id, Incarnation incarnation) override;
    void spawn_beside(InstanceId id, Incarnation incarnation, const SideOrder& order) override;
    void signal(Incarnation incarnation, int signal) override;
    void tell_to_end(Incarnation incarnation, SignalTo to, int signal) override;
    void pause(Incarnation incarnation, bool pause) override;
    void count_zombies(Incarnation incarnation) override;
    void measure(Incarnation incarnation) override;
    void abandon(Incarnation incarnation) override;
    void forget(InstanceId) override {}
    void forget_job(const std::string&) override {}
    void kill_tree(Incarnation incarnation) override;
    void arm(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint when) override;
    void disarm(InstanceId id, TimerKind kind) override;
    void announce(const Transition& transition) override;
    void roll(const RollNews& news) override;
    void scheduled(const ScheduleNews& news) override;
    void end_daemon(int code, std::string_view cause) override;

    /// Somebody sets the clock, or the machine sleeps.
    void disturb_clocks();
    const Clocks& clocks() const { return clocks_; }
    std::uint64_t scheduled_runs() const { return scheduled_runs_; }
    std::uint64_t connections() const { return connections_; }

private:
    enum class Step {
        Refuse,
        Launch,
        FailBeforeExec,
        Exec,
        Say,
        Look,
        Exit,
        TreeEmpty,
        CountZombies,
        Measure,
        Listen,
        Come,
        CountConnections,
        Timer
    };
    struct Due {
        Step step;
        Incarnation incarnation = 0;
        InstanceId id = 0;
        TimerKind kind = TimerKind::Backoff;
        std::uint32_t generation = 0;
        std::uint32_t round = 0;  ///< of the run, see Run::round
    };
    /// One incarnation between spawn and the end of its tree.
    struct Run {
        InstanceId id = 0;
        std::optional<SideRole> beside{};  ///< of a command
        bool is_of_end = true;  ///< the run lasts as long as it does; not: it follows a failure, or undoes the run
        bool launched = false;
        bool main_gone = false;
        bool ignores_stop = false;
        bool paused = false;
        bool only_listens = false;
        bool leaves_others = false;
        std::uint32_t round = 0;  ///< grows when its future is changed; steps of an older round never happen
        ExitStatus status;
    };

    void listens(Incarnation incarnation, InstanceId id);
    void something_comes(InstanceId id);
    void comes_later(InstanceId id);
    void check_one(const Instance& instance);
    void check_moment(InstanceId id, const SideOrder& order);
    void check_undo(InstanceId id, const SideOrder& order);
    void begins(InstanceId id, const JobSpec& spec, const InstanceName& name);
    void check_place(const InstanceName& name);
    void check_daemons(const JobSpec& spec, const InstanceName& name);
    void check_requirements(const JobSpec& spec, const InstanceName& name);
    void check_stop_order(InstanceId id);
    void check_group(InstanceId id, const JobSpec& spec, const InstanceName& name);
    void note_member_failure(const Transition& transition);
    void check_links(const Job& job);
    void check_undone(const Transition& transition);
    void check_one_by_one(const Transition& transition);
    void plan(Incarnation incarnation, Step step, std::uint32_t most_ms);
    void happen_to(const Due& due);
    void over(Incarnation incarnation);
    bool lives(InstanceId id) const { return live_of_.contains(id) || besides(id) > 0; }
    std::size_t besides(InstanceId id) const;
    /// What instance `id` is asked to end by, or was told before that, while it runs.
    const Run* command_of(InstanceId id) const;
    void say_something(Incarnation incarnation);
    void look_at_health(Incarnation incarnation);
    void check_health_restart(const Transition& transition);
    void command_works(InstanceId id);
    void report_exit(Incarnation incarnation, Run& run);
    void broken(std::string what);

    Supervisor* supervisor_ = nullptr;
    std::mt19937 random_;
    bool reconfigures_;
    TimePoint now_{std::chrono::hours(1)};
    std::multimap<TimePoint, Due> future_;
    std::unordered_map<Incarnation, Run> runs_;
    std::unordered_map<InstanceId, Incarnation> live_of_;
    std::map<InstanceId, std::set<Incarnation>>
        before_failure_;  ///< runs that the restart of a failed member has to wait for
    std::map<std::pair<InstanceId, SideRole>, Incarnation> beside_of_;
    std::map<std::pair<InstanceId, TimerKind>, std::uint32_t> armed_;
    std::unordered_map<InstanceId, State> states_;
    std::uint64_t sequence_ = 0;
    std::unordered_map<InstanceId, std::uint64_t> ends_of_;  ///< runs that have come to their end
    std::set<InstanceId> told_to_stop_;
    std::set<InstanceId> owes_post_stop_;
    std::set<InstanceId> open_;  ///< whose sockets are
    std::set<InstanceId> to_serve_;
    std::uint64_t connections_ = 0;
    std::unordered_map<InstanceId, Incarnation> prepared_;  ///< by pre_start
    std::set<InstanceId> ready_;
    std::map<InstanceId, std::deque<TimePoint>> health_restarts_;
    std::uint64_t unhealthy_ends_ = 0;
    Clocks clocks_{std::chrono::hours(24 * 20000), {}};
    /// Of a job with a schedule.
    struct KnownRuns {
        std::int64_t dealt = 0;
        Duration boot{};         ///< of the last run that was due, by CLOCK_BOOTTIME
        bool disturbed = false;  ///< a clock was set since
    };
    std::map<std::string, KnownRuns> known_runs_;
    std::uint64_t scheduled_runs_ = 0;
    std::uint64_t rolls_done_ = 0;
    std::uint64_t transitions_ = 0;
    Incarnation last_over_ = 0;
    bool daemon_ended_ = false;
    bool bonds_hold_ = true;
    std::string breach_;
};

}  // namespace procsup::sim
