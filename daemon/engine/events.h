#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/engine/instance_health.h"
#include "daemon/engine/ports.h"

/// What can happen to an instance, and what it then wants done: see Instance::handle().
namespace procsup {

// clang-format off
// What can happen to an instance.
// `connection`: there is one to serve, without which what serves one is not started.
struct StartRequested { std::string cause; bool connection = false; };
struct StopRequested { std::string cause; bool by_order = false; };
struct RestartRequested { std::string cause; };
struct ResetRequested { std::string cause; };
struct PauseRequested { std::string cause; };
struct ResumeRequested { std::string cause; };
struct ReloadRequested { std::string cause; };
struct MayStart { InstanceId waited_for = 0; };
struct MayStop {};
struct RequirementLost { std::string cause; };
struct GroupFailed { std::string cause; };
struct Spawned { pid_t pid; };
struct NotStarted { SpawnStage stage; int os_error; std::string text{}; };
// Its sockets are open; and something has come to them.
struct Listens {};
struct Demanded { std::string cause; };
// How many connections to its sockets are open; none: that could not be found out.
struct ConnectionsCounted { std::optional<std::uint64_t> count; };
struct Execed {};
struct Exited { ExitStatus status; bool tree_empty; Account account{}; };
struct TreeEmpty { Account account{}; };
// Of a command that runs beside the main one.
struct SideNotStarted { Incarnation side; SpawnStage stage; int os_error; std::string text{}; };
struct SideExited { Incarnation side; ExitStatus status; bool tree_empty; };
struct SideTreeEmpty { Incarnation side; };
struct BecameReady {};
// ": cannot connect to …", to follow what is waited for; and what the command of the probe has written last.
struct ReadinessHindered { std::string how; std::string said; };
struct Noticed { Notice notice; };
// What a probe has found that looks at its health.
struct HealthReported { Incarnation side; HealthVerdict verdict; std::string words; std::string said; };
struct HealthCheckRequested {};
struct UsageMeasured { TreeUsage usage; };
struct ZombiesCounted { std::uint32_t count; std::string neglected_by; };
struct MayRecycle {};
struct MayBeMended {};
struct TimerFired { TimerKind kind; std::uint32_t generation; };
// A run that goes on has another text, which differs in live keys alone (conf/job_difference.h).
struct SpecChanged { std::shared_ptr<const JobSpec> spec; };

using Event = std::variant<StartRequested, StopRequested, RestartRequested, ResetRequested, PauseRequested,
                           ResumeRequested, ReloadRequested, MayStart, MayStop, RequirementLost, GroupFailed, Spawned, NotStarted, Listens, Demanded, ConnectionsCounted, Execed, Exited, TreeEmpty, SideNotStarted,
                           SideExited, SideTreeEmpty, BecameReady, ReadinessHindered, Noticed, HealthReported, HealthCheckRequested, UsageMeasured, ZombiesCounted, MayRecycle, MayBeMended, TimerFired, SpecChanged>;

// What an instance wants done.
struct SpawnAction { bool prepared; };  // pre_start has run for it
struct ListenAction {};
struct CountConnectionsAction {};
struct TellToEndAction { int signal; SignalTo to; };
struct KillTreeAction {};
struct SpawnBesideAction { SideRole role; };
struct TellBesideAction { Incarnation side; };
struct KillBesideAction { Incarnation side; };
struct PauseAction { bool pause; };
struct AbandonAction {};
struct CountZombiesAction {};
struct MeasureAction {};
struct ArmAction { TimerKind kind; std::uint32_t generation; TimePoint when; };
struct DisarmAction { TimerKind kind; };
struct AnnounceAction { State from; State to; bool ends_run; bool ends_start; };
struct EndDaemonAction { int code; };

using Action = std::variant<SpawnAction, ListenAction, CountConnectionsAction, TellToEndAction, KillTreeAction, SpawnBesideAction, TellBesideAction, KillBesideAction, PauseAction,
                            AbandonAction, CountZombiesAction, MeasureAction, ArmAction, DisarmAction, AnnounceAction, EndDaemonAction>;
// clang-format on
using Actions = std::vector<Action>;

}  // namespace procsup
