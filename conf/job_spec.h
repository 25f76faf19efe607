#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/capability.h"
#include "common/log_file.h"
#include "common/units.h"
#include "conf/dependencies.h"
#include "conf/health.h"
#include "conf/membership.h"
#include "conf/rate_limit.h"
#include "conf/readiness.h"
#include "conf/schedule.h"
#include "conf/sockets.h"

/// What a job is, after its file was read, checked and every name in it resolved. Plain data: nothing here
/// has to be looked up again, so the supervisor never waits for a file system or a name service.
namespace procsup {

inline constexpr std::uint64_t kMebibyte = 1u << 20;

enum class JobType { Service, Oneshot, Task };

enum class Restart { No, OnSuccess, OnFailure, OnAbnormal, Always, UnlessStopped };

enum class OnExhausted { Fail, Exit };

/// Who must be gone before an ordered stop is over.
enum class StopScope { Tree, Main };

/// Who gets the stop signals.
enum class SignalTo { Main, All };

/// What becomes of processes that outlive the main process of their run.
enum class Orphans { Kill, Adopt, Ignore };

/// What becomes of a daemon job when the job it is bound to starts again.
enum class OnParentRestart { Restart, Stop, Keep };

/// Exit codes and signals that a list such as success_exit_codes names.
struct ExitSet {
    std::vector<std::uint8_t> codes;
    std::vector<std::uint8_t> signals;

    bool empty() const { return codes.empty() && signals.empty(); }

    friend bool operator==(const ExitSet&, const ExitSet&) = default;
};

struct RestartPolicy {
    Restart when = Restart::OnFailure;
    Duration min_uptime = std::chrono::seconds(1);
    Duration delay = std::chrono::milliseconds(500);
    double backoff = 2;
    Duration delay_max = std::chrono::seconds(30);
    double jitter = 0.1;
    Duration reset = std::chrono::seconds(10);
    RateLimit start_limit{10, std::chrono::seconds(60)};
    ExitSet success{{0}, {}};
    ExitSet prevent;
    ExitSet force;
    OnExhausted on_exhausted = OnExhausted::Fail;

    friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

/// Where one of a job's standard streams goes to or comes from.
struct Stream {
    /// Connection: what a client of the job sends and receives.
    enum class Kind { Inherit, Null, Journal, Forward, Capture, File, Pipe, Connection };
    Kind kind = Kind::Inherit;
    std::string path;  ///< of Kind::File, absolute; of output of Kind::Pipe the job whose input it is

    /// Where others write too: who reads there looks for all that a job writes.
    bool is_shared() const { return kind == Kind::Inherit || kind == Kind::Journal || kind == Kind::Forward; }

    friend bool operator==(const Stream&, const Stream&) = default;
};

/// What rotated files are compressed with.
enum class Compress { Zstd, None };

/// What happens while captured output cannot be written: the job waits, or lines are dropped and counted.
enum class OnFull { Block, DropNewest, DropOldest };

/// How what a job writes to streams of Kind::Capture is kept; some of it is for Kind::Journal and Kind::Forward too.
struct LogPolicy {
    LogFormat format = LogFormat::Stamped;
    std::string dir;                          ///< absolute, for expand_job(); empty: the daemon's log_dir
    std::uint64_t max_size = 16 * kMebibyte;  ///< bytes of a file when it is rotated; 0: any
    Duration max_age = kForever;              ///< of rotated files, and of the first line of one that grows
    std::uint32_t keep = 5;                   ///< rotated files of each stream
    std::uint64_t total_size = 0;             ///< bytes of all rotated files of a stream; 0: any
    Compress compress = Compress::Zstd;
    OnFull on_full = OnFull::Block;
    RateLimit rate_limit;  ///< lines; what is beyond is dropped
    std::optional<bool>
        mirror;  ///< lines also go to procsupd's own standard output; absent: where nobody else shows them
    Duration sync = kForever;  ///< how long what was written may wait for fsync(); 0: not at all

    friend bool operator==(const LogPolicy&, const LogPolicy&) = default;
};

/// The user a job runs as, resolved: all ids, and what its environment says of it.
struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  ///< supplementary ones, without gid

    friend bool operator==(const Identity&, const Identity&) = default;
};

/// A file that a job is given.
struct Credential {
    std::string name;
    std::string path;  ///< absolute, for expand_job(): where it is read from

    friend bool operator==(const Credential&, const Credential&) = default;
};

/// A directory that is made for a job.
struct JobDir {
    enum class Kind { Runtime, State, Log };
    Kind kind = Kind::Runtime;
    std::string base;  ///< absolute; below it nothing of a user's is trusted
    std::string name;  ///< relative, without ".."; for expand_job()

    friend bool operator==(const JobDir&, const JobDir&) = default;
};

/// One more signal of a stop, for what is left after the one before.
struct StopStep {
    Duration pause{};  ///< since the signal before
    int signal = 0;

    friend bool operator==(const StopStep&, const StopStep&) = default;
};

/// One of setrlimit(2), in the kernel's own units.
struct ResourceLimit {
    int resource = 0;  ///< RLIMIT_…
    rlim_t soft = 0;
    rlim_t hard = 0;  ///< not below `soft`

    ResourceLimit() = default;
    ResourceLimit(int which, rlim_t both) : ResourceLimit(which, both, both) {}
    ResourceLimit(int which, rlim_t soft_limit, rlim_t hard_limit)
        : resource(which), soft(soft_limit), hard(hard_limit) {}

    friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

/// What all processes of a run may take together, by a controller of cgroups(7).
struct TreeLimit {
    enum class Kind { MemoryMax, MemoryHigh, Cpu, CpuWeight, TasksMax, IoWeight };
    static constexpr std::uint64_t kUnlimited = UINT64_MAX;
    Kind kind = Kind::MemoryMax;
    std::uint64_t value = kUnlimited;  ///< bytes, microseconds of CPU time in 100 ms, a weight, or a count

    friend bool operator==(const TreeLimit&, const TreeLimit&) = default;
};

/// How the kernel gives a job the processors, see sched(7).
struct Scheduling {
    enum class Policy { Other, Batch, Idle, Fifo, Rr };
    Policy policy = Policy::Other;
    int priority = 0;  ///< of Fifo and Rr: 1 to 99, which goes first

    bool realtime() const { return policy == Policy::Fifo || policy == Policy::Rr; }

    friend bool operator==(const Scheduling&, const Scheduling&) = default;
};

/// In which order the kernel serves what jobs read and write, see ioprio_set(2).
struct IoPriority {
    enum class Class { Realtime, BestEffort, Idle };
    Class io_class = Class::BestEffort;
    int level = 0;  ///< of Realtime and BestEffort: 0, which is served first, to 7

    friend bool operator==(const IoPriority&, const IoPriority&) = default;
};

/// Instances of one job, and of all together.
inline constexpr std::size_t kMostInstancesOfJob = 1000;
inline constexpr std::size_t kMostInstances = 100000;

/// CPUs have numbers below this.
inline constexpr int kMostCpus = 8192;

/// What a job may do beyond what its user may.
struct Privileges {
    std::optional<CapabilitySet> capabilities;  ///< all that it can ever have; absent: whatever procsupd has
    CapabilitySet ambient = 0;                  ///< what a job that is not root has of them
    std::optional<bool> no_new_privileges;      ///< absent: as containment and may_fork need it

    friend bool operator==(const Privileges&, const Privileges&) = default;
};

/// Where a job may write, or not, with all that is below.
struct SandboxPath {
    std::string path;  ///< absolute, without ".." and the like; for expand_job()
    bool read_only = false;
    bool may_be_absent = false;

    friend bool operator==(const SandboxPath&, const SandboxPath&) = default;
};

/// What a job sees of the file system, and what it may change there.
struct Sandbox {
    bool private_tmp = false;
    std::vector<SandboxPath> paths;  ///< read-only ones first
    bool strict = false;             ///< not started where that cannot be enforced

    bool has_read_only() const { return !paths.empty() && paths.front().read_only; }
    bool changes_files() const { return private_tmp || has_read_only(); }

    friend bool operator==(const Sandbox&, const Sandbox&) = default;
};

/// Where the keys of a job are written, in little space: see key_places.cc. No part of what a job is: the same job may be
/// written elsewhere tomorrow.
struct KeyPlaces {
    std::string text;

    friend bool operator==(const KeyPlaces&, const KeyPlaces&) { return true; }
};

struct JobSpec {
    std::string name;
    std::string description;  ///< empty: the name
    std::string origin;       ///< "/etc/procsupd/jobs.d/web.toml:3": where it was defined

    mutable KeyPlaces key_places;  ///< renewed in a spec that is in use when lines have only moved

    // What is run. ${job:name} is already replaced; what differs between instances (instance, index, port) is
    // replaced by the engine's user at spawn time, also of a single one: there may be more of them tomorrow.
    std::vector<std::string> command;  ///< argv; argv[0] as written
    std::string program;               ///< absolute path to execute; empty: command[0] is searched in env's PATH
    std::vector<std::string> env;      ///< "NAME=value", complete but for PROCSUPD_*, sorted
    std::string working_dir;
    mode_t umask = 022;
    std::optional<Identity> identity;  ///< absent: the daemon's own
    Privileges privileges;
    Sandbox sandbox;

    JobType type = JobType::Service;
    bool enabled = true;
    bool essential = false;
    bool manually_stopped = false;  ///< remembered for restart = "unless-stopped"

    /// By its nature, and not because it was told to or has failed.
    bool ends_by_itself() const { return type != JobType::Service; }
    /// With the daemon, or when it is added to the configuration.
    bool starts_at_once() const { return enabled && !manually_stopped && type != JobType::Task; }

    std::vector<std::string> instances;  ///< names behind the '@'; empty: one instance called as the job
    std::optional<int> port_base;

    RestartPolicy restart;
    Duration start_timeout = std::chrono::seconds(90);
    Duration stop_timeout = std::chrono::seconds(10);
    Duration run_timeout = kForever;
    Duration max_lifetime = kForever;    ///< after which a run is ended and followed by another one
    double max_lifetime_variance = 0.1;  ///< by what part of itself that is longer or shorter, for each run anew
    int stop_signal = 15;
    std::vector<StopStep> stop_steps;  ///< after stop_signal; all of them within stop_timeout
    StopScope stop_scope = StopScope::Tree;
    SignalTo stop_signal_to = SignalTo::Main;
    JobCommand stop_command;  ///< run instead of the first stop signal
    int reload_signal = 1;
    JobCommand reload_command;       ///< run instead of reload_signal
    std::vector<HookCommand> hooks;  ///< by their moments
    Orphans orphans = Orphans::Kill;
    bool may_fork = true;
    Duration watchdog = kForever;  ///< a run that has given no sign of life for so long has hung
    int watchdog_signal = 6;       ///< ends it then
    std::optional<std::uint32_t> zombie_limit;
    Duration zombie_check = std::chrono::seconds(10);
    std::string daemon_of;  ///< the job whose life bounds this one's; empty: none
    OnParentRestart on_parent_restart = OnParentRestart::Restart;
    Dependencies dependencies;
    Readiness readiness;
    Health health;
    Membership membership;
    Schedule schedule;
    ScheduleMemory remembered;  ///< of its schedule, when this was read

    Stream stdin_stream{Stream::Kind::Null, {}};
    Stream stdout_stream{Stream::Kind::Capture, {}};
    Stream stderr_stream{Stream::Kind::Capture, {}};
    LogPolicy log;

    std::vector<Credential> credentials;  ///< by their names
    std::vector<JobDir> dirs;
    std::vector<ListeningSocket> sockets;  ///< in the order of the file, which is that of their descriptors

    std::vector<ResourceLimit> limits;
    std::vector<TreeLimit> tree_limits;  ///< by their kinds
    bool strict_limits = false;
    std::optional<int> nice;
    std::optional<Scheduling> scheduling;
    std::optional<IoPriority> io_priority;
    std::vector<int> cpu_affinity;  ///< sorted; empty: the daemon's
    std::optional<int> oom_score_adjust;

    std::optional<uid_t> owner;  ///< may operate and read this job besides the administrators
    std::vector<std::string> tags;

    /// Its command for `hook`; nullptr: none.
    const JobCommand* hook(Hook hook) const {
        const auto found = std::find_if(hooks.begin(), hooks.end(), [=](const auto& one) { return one.hook == hook; });
        return found == hooks.end() ? nullptr : &found->command;
    }
    const Stream& output(bool error) const { return error ? stderr_stream : stdout_stream; }
    bool writes_to(Stream::Kind kind) const { return stdout_stream.kind == kind || stderr_stream.kind == kind; }
    bool captures() const { return writes_to(Stream::Kind::Capture); }
    bool can_be_mirrored() const { return captures() || writes_to(Stream::Kind::Journal); }
    /// Through procsup-logger: to its files, to the journal, or to procsupd's own output.
    bool is_logged() const { return can_be_mirrored() || writes_to(Stream::Kind::Forward); }

    /// [defaults] may give one to a job that ends by itself.
    bool has_watchdog() const { return watchdog != kForever && type == JobType::Service; }
    /// Each connection is served by a run of its own (connection_spec()); the job itself only listens.
    bool accepts() const { return any_socket(&ListeningSocket::accept); }
    /// It is started when something comes to its sockets, and until then only listens.
    bool is_on_demand() const { return any_socket(&ListeningSocket::on_demand); }
    bool listens_first() const { return accepts() || is_on_demand(); }
    /// Without a connection a run that was started on demand is ended after this time; kForever: it is not.
    Duration idle_timeout() const;
    /// How many connections are served at a time.
    std::uint32_t max_connections() const;
    /// It serves one connection of a job that accepts.
    bool serves_connection() const { return stdin_stream.kind == Stream::Kind::Connection; }

    /// Whether something has to be laid out for it before a run.
    bool has_provisions() const { return !credentials.empty() || !dirs.empty() || !sockets.empty(); }
    /// `by_default`: where it says nothing.
    bool gains_no_privileges(bool by_default) const {
        return !may_fork || privileges.no_new_privileges.value_or(by_default);
    }

    friend bool operator==(const JobSpec&, const JobSpec&) = default;

private:
    bool any_socket(bool ListeningSocket::*is) const {
        return std::any_of(sockets.begin(), sockets.end(), [=](const auto& socket) { return socket.*is; });
    }
};

/// What a connection to `spec`, which accepts, is served by: without its sockets, started by nothing else, and never again.
JobSpec connection_spec(const JobSpec& spec);

/// Who may do what beyond root and the daemon's own uid.
struct AccessRule {
    std::vector<uid_t> users;
    std::vector<gid_t> groups;
    bool everyone = false;
};

/// What procsupd and `check` exit with when the configuration has problems.
inline constexpr int kExitBadConfig = 6;

enum class LogLevel { Debug, Info, Warn, Error };

/// How the processes of jobs are held together: by cgroups of version 2, by a keeper process for each run, or only by process
/// groups; Auto is the best of these that is permitted.
enum class ContainmentMode { Auto, Cgroup, Keeper, Group };

/// What becomes of all jobs when procsupd itself is killed.
enum class OnCrash { Stop };

/// Where a daemon keeps things, apart from what [daemon] says. Absolute, or empty.
struct DaemonPlaces {
    std::string state_dir, log_dir;                  ///< instead of what it says
    std::string default_state_dir, default_log_dir;  ///< when it says nothing
    std::string log_fault;                           ///< why nothing can be captured, wherever; empty: it can
    bool shows_lines = false;  ///< on its own output, of jobs that do not say so: who reads that knows of no files
};

/// A job that a file of a higher directory says is not to be there.
struct MaskedJob {
    std::string job;
    std::string file;
};

struct DaemonSpec {
    std::string runtime_dir;  ///< empty: by the kind of daemon
    std::string state_dir;    ///< what must outlive the daemon
    std::string log_dir;      ///< where captured output is kept
    std::string log_fault;    ///< why nothing can be; then only what says so itself is captured
    LogLevel log_level = LogLevel::Info;
    ContainmentMode containment = ContainmentMode::Auto;
    std::optional<OnCrash> on_crash;  ///< promised, or else as `containment` permits
    Duration shutdown_timeout = std::chrono::seconds(90);
    std::uint32_t max_clients = 4096;
    AccessRule admin, operate;
    AccessRule read{{}, {}, true};
    std::vector<MaskedJob> masked;
};

/// A whole configuration, as `procsupd --load` returns it.
struct Configuration {
    DaemonSpec daemon;
    std::vector<JobSpec> jobs;  ///< in the order of their names
};

}  // namespace procsup
