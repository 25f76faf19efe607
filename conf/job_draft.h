#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/job_spec.h"
#include "conf/problems.h"

namespace procsup {

/// Every key that can be written, in the order of the table in keys.cc.
// clang-format off
enum class Key : std::uint8_t {
    Description, Command, Shell, Type, Enabled, Instances, PortBase, User, Group, Groups, WorkingDir, Umask,
    InheritEnv, EnvFiles, Env, Restart, MinUptime, RestartDelay, RestartBackoff, RestartDelayMax, RestartJitter,
    RestartReset, StartLimit, SuccessExitCodes, PreventRestartCodes, ForceRestartCodes, OnExhausted, Essential,
    StartTimeout, StopTimeout, RunTimeout, MaxLifetime, MaxLifetimeVariance, Watchdog, WatchdogSignal, StopSignal, StopScope, StopSignalTo, StopCommand,
    ReloadSignal, ReloadCommand, PreStart, PostStart, PreStop, PostStop, OnFailed, Orphans, ZombieLimit, ZombieCheck, DaemonOf,
    OnParentRestart, MayFork, After, Before, Wants, Requires,
    ReadyNotify, ReadyFd, ReadyLogLine, ReadyTcp, ReadyUnix, ReadyHttp, ReadyExec, ReadyFile, ReadyInterval, ReadyTimeout,
    HealthTcp, HealthUnix, HealthHttp, HealthExec, HealthMemoryAbove, HealthCpuAbove, HealthInterval, HealthTimeout, HealthFailures, HealthOf, HealthSuccesses,
    HealthGrace, HealthAction, HealthRestartLimit,
    ScheduleCron, ScheduleInterval, ScheduleTimezone, ScheduleOverlap, ScheduleMissed, ScheduleJitter,
    Owner, Tags, Credentials, RuntimeDirs, StateDirs, LogDirs, Sockets, LogStdout, LogStderr, LogStdin, LogPipeTo, LogFormat, LogMaxSize, LogMaxAge, LogKeep,
    LogTotalSize, LogCompress, LogOnFull, LogRateLimit, LogMirror, LogSync, LogDir,
    OpenFiles, Core, Processes, AddressSpace, Stack, Memlock, Fsize, CpuTime, Data, PendingSignals, MessageQueues,
    NiceLimit, RealtimePriority, RealtimeTime, Nice, Scheduling, IoPriority, CpuAffinity, OomScoreAdjust,
    MemoryMax, MemoryHigh, Cpu, CpuWeight, TasksMax, IoWeight, StrictLimits,
    NoNewPrivileges, Capabilities, AmbientCapabilities, PrivateTmp, ReadOnlyPaths, ReadWritePaths,
    StrictSandbox, Free,
    GroupMembers, GroupStrategy, GroupIntensity, GroupOnExhausted,
    RuntimeDir, StateDir, DaemonLogDir, LogLevel, Containment, OnCrash, ShutdownTimeout, MaxClients,
    AccessAdmin, AccessOperate, AccessRead,
};
// clang-format on
inline constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::AccessRead) + 1;

/// The keys of the hooks are in the order of Hook.
constexpr Key key_of(Hook hook) { return static_cast<Key>(static_cast<int>(Key::PreStart) + static_cast<int>(hook)); }
static_assert(key_of(Hook::OnFailed) == Key::OnFailed);

/// A text from a file, before placeholders are replaced.
struct PlacedText {
    std::string text;
    Place place;
};

/// A user or group as written: a name, or an id.
struct PlacedName {
    std::string name;
    std::optional<std::uint32_t> id;
    Place place;
};

/// One of [[sockets]] as written.
struct SocketDraft {
    Place place;
    PlacedText name, listen;
    std::optional<mode_t> mode;
    Place mode_place;
    std::optional<PlacedName> user, group;
    bool accept = false, on_demand = false;
    Place accept_place, on_demand_place;
    std::optional<std::uint32_t> max_connections;
    Place max_connections_place;
    std::optional<Duration> idle_timeout;
    Place idle_timeout_place;
};

/// A job as it is written: types and ranges are checked, nothing is looked up or compared yet. The draft of
/// [defaults] is what the draft of each job starts from.
struct JobDraft {
    std::string name;
    Place place;   ///< of the job itself
    JobSpec spec;  ///< the settings that need no look-up

    std::vector<PlacedText> command, stop_command, reload_command;
    std::array<std::vector<PlacedText>, kHookWords.size()> hooks;
    PlacedText shell;
    std::optional<PlacedName> user, group, owner;
    std::vector<PlacedName> groups;
    PlacedText working_dir;
    std::string home_folder = "/";  ///< working_dir where none is written
    std::vector<std::string> inherit_env;
    std::vector<PlacedText> env_files;
    std::map<std::string, PlacedText> env;
    PlacedText log_dir;
    std::map<std::string, PlacedText> credentials;
    std::vector<PlacedText> runtime_dirs, state_dirs, log_dirs;
    std::vector<SocketDraft> sockets;
    std::vector<PlacedText> read_only_paths, read_write_paths;  ///< with "-" in front: may be absent
    /// Where is looked for something: a line, an address, a socket, a page or a file, or a command that looks.
    struct Look {
        PlacedText target;
        std::vector<PlacedText> command;
    };
    Look ready, health;
    PlacedText timezone;
    struct {
        std::vector<Place> after, before, wants, requirements;
    } dependency_places;          ///< of each name in JobSpec::dependencies
    bool stream_refused = false;  ///< a word for a stream was none: perhaps "capture" was meant

    struct Mark {
        Place place;             ///< of the key
        std::uint32_t rank = 0;  ///< of the text it is in, see kOwnRank; what ranks higher stands over what ranks lower
        bool excused = false;    ///< what an overlay says may have taken its effect away
    };
    /// Of the job's own text, from which its overlays count on; [defaults] and theirs are below, from 1 on.
    static constexpr std::uint32_t kOwnRank = 1u << 16;
    std::array<Mark, kKeyCount> marks;

    const Mark& mark(Key key) const { return marks[static_cast<std::size_t>(key)]; }
    bool written(Key key) const { return mark(key).place.file != nullptr; }
    /// Written in the job itself: a default that has no effect on some jobs is no mistake.
    bool own(Key key) const { return written(key) && mark(key).rank >= kOwnRank; }
    /// Of two keys that exclude each other the one that counts. Texts of the same rank decide nothing.
    bool outranks(Key key, Key other) const { return written(key) && mark(key).rank > mark(other).rank; }
};

/// A group as written.
struct GroupDraft {
    Place place;
    Membership settings;
    std::vector<std::string> members;
    std::vector<Place> places;  ///< of each member
    bool refused = false;       ///< a list of members is written, and is none
    Place on_exhausted;         ///< where it is written; no file: nowhere
};

/// The daemon's own settings as written.
struct DaemonDraft {
    DaemonSpec spec;
    Place on_crash;                               ///< where it is written; no file: nowhere
    std::vector<PlacedName> admin, operate;       ///< groups begin with '@'
    std::optional<std::vector<PlacedName>> read;  ///< absent: everyone
};

}  // namespace procsup
