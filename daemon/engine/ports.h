#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/exit_status.h"
#include "common/units.h"
#include "conf/expand.h"
#include "conf/job_spec.h"
#include "daemon/engine/run_result.h"
#include "daemon/engine/state.h"

/// What the engine asks of the world, and nothing else: three ports, each with one real implementation in
/// daemon/host/ and one fake in tests/. The engine never reads a clock: every call brings `now`.
namespace procsup {

using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// What clocks show: a point on CLOCK_REALTIME, microseconds since 1970.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// An instance for as long as the supervisor lives; never used again for another.
using InstanceId = std::uint64_t;

/// One spawn of one instance; unique over all instances. What is reported of an older one is dropped.
using Incarnation = std::uint64_t;

/// Where the start of a process failed; with errno mostly all that there is to say about it. Enforce: it was not tried, because the
/// job is strict about settings that cannot be enforced here.
// clang-format off
enum class SpawnStage {
    None, Cancelled, Containment, Keeper, Clone, Session, Stdin, Stdout, Stderr, Journal, Enforce, Limits, Scheduling, Nice, IoPriority,
    CpuAffinity, OomScore, Groups, Group, User, VerifyIds, Privileges,
    Mounts, ReadOnlyPath, ReadWritePath, PrivateTmp, Landlock,
    KnownCapabilities, Capabilities, AmbientCapabilities, VerifyRights, Directories, Credentials, Sockets,
    WorkingDir, ReadyChannel, Filter, Exec,
    PreStart,
};
// clang-format on

/// Processes that came to the daemon or to a keeper because their parent had ended, and were collected there. CPU time is
/// user and system time as waitid(2) gives it: of a process and of the children that it had collected itself, so none
/// is counted twice.
struct Orphaned {
    std::uint64_t count = 0;
    Duration cpu{};

    Orphaned& operator+=(const Orphaned& more) {
        count += more.count;
        cpu += more.cpu;
        return *this;
    }
};

/// What the kernel has killed of a run for want of memory.
struct OomKills {
    std::uint64_t count = 0;  ///< processes
    bool by_limit = false;    ///< the run's own limit was reached; else there was no memory above it
};

/// What was collected of a run.
struct Account {
    Duration main_cpu{};  ///< of the main process; see Orphaned
    Orphaned orphans;
    OomKills oom{};
    /// Those that were its main process before (MAINPID= of sd_notify(3)), and have ended while another one was; no orphans.
    Orphaned former_mains{};
};

/// What the processes of a run use together at a moment, as far as that is known.
struct TreeUsage {
    std::optional<Duration> cpu{};               ///< since the run began
    std::optional<std::uint64_t> memory{};       ///< bytes
    std::optional<std::uint64_t> memory_peak{};  ///< the most it has been
    std::optional<std::uint64_t> tasks{};        ///< processes and threads

    bool complete() const { return cpu && memory && tasks; }
};

struct InstanceUsage {
    InstanceId id = 0;
    std::string name;
    std::string job;
    TreeUsage usage;
};

/// "exec /usr/bin/nope", "change to directory /srv/x": what was tried at `stage`.
std::string describe(SpawnStage stage, const JobSpec& spec);
/// The same of a command that runs beside the job.
std::string describe(SpawnStage stage, const JobSpec& spec, const JobCommand& command);

/// What a command that runs beside a run is for; the last five are the hooks, in the order of Hook.
enum class SideRole {
    StopCommand,
    ReloadCommand,
    ReadyProbe,
    HealthProbe,
    HealthCheck,
    PreStart,
    PostStart,
    PreStop,
    PostStop,
    OnFailed
};

constexpr SideRole role_of(Hook hook) {
    return static_cast<SideRole>(static_cast<int>(SideRole::PreStart) + static_cast<int>(hook));
}
static_assert(role_of(Hook::OnFailed) == SideRole::OnFailed);
constexpr std::optional<Hook> hook_of(SideRole role) {
    if (role < SideRole::PreStart) return std::nullopt;
    return static_cast<Hook>(static_cast<int>(role) - static_cast<int>(SideRole::PreStart));
}

/// The command of a job for `role`.
const JobCommand& command_of(const JobSpec& spec, SideRole role);
/// It is procsup-probe.
constexpr bool is_probe(SideRole role) {
    return role == SideRole::ReadyProbe || role == SideRole::HealthProbe || role == SideRole::HealthCheck;
}
/// For people: "stop_command".
std::string_view to_text(SideRole role);

/// How a run has ended, for what is run afterwards.
struct RunOutcome {
    std::optional<RunResult> result{};   ///< of one that has not ended yet: none
    std::optional<ExitStatus> status{};  ///< of its main process, if it had one
    std::string cause{};                 ///< for people
};

/// A command of a job that is run beside one of its runs: as that, by user, environment, directory and limits, but in a tree
/// of its own.
struct SideOrder {
    const JobSpec& spec;
    const InstanceName& name;
    SideRole role;
    Incarnation beside = 0;  ///< the run that it is for; of SideRole::PreStart: that follows
    pid_t main_pid = 0;      ///< of that run; 0: it has none yet, or none any more
    RunOutcome outcome{};    ///< of that run, when it has ended
};

/// Starts and ends processes. Every request is answered by events to Supervisor, never by a return value; for one
/// incarnation they come in this order, whatever the kernel's:
///   not_started {stage, errno}, or
///   spawned {pid}, then perhaps execed, then exited {status, tree_empty}, then, unless tree_empty was true,
///   tree_empty.
/// A spawned child that fails before its program runs yields not_started after spawned, and no exited. What was spawned
/// beside a run is an incarnation like any other.
class ProcessBackend {
public:
    virtual ~ProcessBackend() = default;
    /// `spec` and `name` must stay as they are until not_started or the tree is empty.
    virtual void spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) = 0;
    /// Opens the sockets of `spec` and starts nothing; answered by not_started or listens. What comes to them then is told once, by
    /// demanded; of a job that accepts each connection is taken to the place that place_for_connection() says, by serve().
    /// `spec` and `name` as for spawn().
    virtual void listen(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) = 0;
    /// Looks how many connections to the sockets of the incarnation are open; answered by connections_counted.
    virtual void count_connections(InstanceId id, Incarnation incarnation) = 0;
    /// What `order` refers to must stay as it is until not_started or the tree is empty.
    virtual void spawn_beside(InstanceId id, Incarnation incarnation, const SideOrder& order) = 0;
    /// `signal` to the main process.
    virtual void signal(Incarnation incarnation, int signal) = 0;
    /// `signal` to the main process or to all, and SIGCONT, without which a stopped process would not see it. A spawn that
    /// waits for its turn is taken back instead.
    virtual void tell_to_end(Incarnation incarnation, SignalTo to, int signal) = 0;
    /// Ends every process of the incarnation at once (SIGKILL).
    virtual void kill_tree(Incarnation incarnation) = 0;
    /// Looks for processes of the incarnation that have ended and were not collected; answered by zombies_counted.
    virtual void count_zombies(Incarnation incarnation) = 0;
    /// What the processes of the incarnation use; answered by usage_measured.
    virtual void measure(Incarnation incarnation) = 0;
    /// Every process of the incarnation stands still, or goes on.
    virtual void pause(Incarnation incarnation, bool pause) = 0;
    /// After exited: no event follows any more, and what is left lives on without being told anything.
    virtual void abandon(Incarnation incarnation) = 0;
    /// The instance is no more: what was kept for it from run to run can go.
    virtual void forget(InstanceId id) = 0;
    /// The same of a job, which has no instances any more.
    virtual void forget_job(const std::string& name) = 0;
};

/// What a job says of itself by its notification socket (sd_notify(3)), one datagram.
struct Notice {
    bool ready = false;
    bool reloading = false;
    bool stopping = false;
    std::optional<std::string> status{};  ///< for people, one line
    std::optional<Duration> extend_timeout{};
    bool alive = false;                  ///< WATCHDOG=1
    bool hangs = false;                  ///< WATCHDOG=trigger
    std::optional<Duration> watchdog{};  ///< what that is to be from now on; kForever: none
    pid_t main_pid = 0;                  ///< 0: it names none
    std::string refused{};               ///< for people: what of it was not taken, and why
};

/// RollStep and Schedule are the supervisor's own (rolling.h, schedule_rules.cc), all others are of the instance's state machine.
enum class TimerKind {
    StartTimeout,
    ReadyTimeout,
    StopTimeout,
    StopStep,
    RunTimeout,
    ZombieCheck,
    Backoff,
    MaxLifetime,
    Watchdog,
    HealthProbe,
    HealthRestart,
    HealthMeasure,
    IdleCheck,
    RollStep,
    Schedule
};

inline constexpr std::size_t kTimerKinds = 15;

class Timers {
public:
    virtual ~Timers() = default;
    /// One timer at most an instance and kind: arming again replaces it. Fires as Supervisor::timer_fired.
    virtual void arm(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint when) = 0;
    virtual void disarm(InstanceId id, TimerKind kind) = 0;
};

/// A run that has ended, and what was collected of it.
struct EndedRun {
    pid_t pid = 0;      ///< of its main process
    TimePoint when;     ///< the main process was collected
    ExitStatus status;  ///< of the main process
    Account account;
    bool out_of_memory = false;  ///< that is why the main process was killed
    TimePoint began{};           ///< its program was executed
};

/// A start and what has become of it, once that is over.
struct PastRun {
    TimePoint began;  ///< its program was executed; where none was, the start was begun
    TimePoint ended;  ///< its main process was collected; where there was none, the start has failed
    std::string start_cause;
    std::string end_cause;
    bool failed = false;  ///< nobody has asked for its end, and that was no success
    /// It is no run, but the stop_command by which a oneshot was taken down; the following are about that.
    bool teardown = false;
    pid_t pid = 0;                       ///< 0: it was never there
    std::optional<ExitStatus> status{};  ///< absent: its program was never executed
};

/// One change of state, with its cause.
struct Transition {
    std::uint64_t sequence = 0;  ///< grows by one with each transition of the daemon
    InstanceId id = 0;
    std::string_view instance;  ///< "web@eu"
    std::string_view job;
    State from = State::Stopped;
    State to = State::Stopped;
    std::string_view cause;
    TimePoint when;
    pid_t pid = 0;                  ///< main process concerned, or 0
    const EndedRun* run = nullptr;  ///< that has come to its end with this, and was not a failed start
    const PastRun* past = nullptr;  ///< what is over with this, a run or a failed start
};

/// How a rolling restart goes on: an instance is up again, or all are (Done), or it has ended before that (Failed).
struct RollNews {
    enum class Kind { Up, Done, Failed };
    Kind kind = Kind::Up;
    std::string_view job;
    InstanceId id = 0;                         ///< of Up: this one
    std::string_view instance{};               ///< of Up and Failed: this one; empty: none is to blame
    std::string_view text{};                   ///< of Failed: why
    std::span<const std::string> untouched{};  ///< of Failed: what it has not come to
};

/// What has become of a run that a job's schedule was due for.
struct ScheduleNews {
    /// Begun: it is in force, and its next run was found anew, or nothing is started because all was stopped by order; Started; Queued: it is started when the one before is over; LeftOut;
    /// Dropped: it is no longer in force.
    enum class Kind { Begun, Started, Queued, LeftOut, Dropped };
    Kind kind = Kind::Begun;
    std::string_view job;
    std::string_view text;   ///< of LeftOut and Queued: which run, and why
    std::int64_t dealt = 0;  ///< up to when all runs of the job are dealt with, in seconds since 1970
};

class Announcer {
public:
    virtual ~Announcer() = default;
    /// Called once for each transition, after it took effect. Must not call back into the engine.
    virtual void announce(const Transition& transition) = 0;
    /// What an instance waits for to be ready, or what it says of itself, may be another thing; as announce().
    virtual void says(InstanceId) {}
    /// Of a rolling restart; as announce().
    virtual void roll(const RollNews& news) = 0;
    /// Of a schedule; as announce().
    virtual void scheduled(const ScheduleNews&) {}
    /// An essential job ended for good, or a job's start limit asks for it: the daemon is to end with `code`.
    virtual void end_daemon(int code, std::string_view cause) = 0;
};

}  // namespace procsup
