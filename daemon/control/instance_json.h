#pragma once

#include "common/json.h"
#include "daemon/control/host_port.h"
#include "daemon/control/instance_usage.h"
#include "daemon/engine/instance.h"

namespace procsup {

/// Who is told: whoever may know of the job, or who may see what it writes too.
enum class Sees { States, Output };

/// What of an instance is told.
struct Told {
    Sees sees = Sees::States;
    bool changes = false;  ///< also which settings wait for its next start: that is found out anew each time
};

/// Type Instance of io.procsupd.Manager.
void write_instance(json::Writer& writer, const ControlContext& context, const Instance& instance,
                    const Usages& usages = {}, Told told = {});

/// Member `awaits`, of what is not ready yet.
void write_awaits(json::Writer& writer, const Instance& instance, Sees sees);

/// Member `changedKeys`, of what runs with other settings than its next start will have.
void write_changed_keys(json::Writer& writer, const Instance& instance);

/// Members cpuUSec, memory, memoryPeak and tasks, of what is known.
void write_usage(json::Writer& writer, const TreeUsage& usage);

/// Members of type Outcome that not every one has.
struct OutcomeDetails {
    std::string missing{};
    bool refused = false;
    const SideRun* command = nullptr;       ///< its stop_command or hook, if this is about that
    const HostPort* run_seen_by = nullptr;  ///< of one that is about the last run: whose clock tells when that was
};

/// Type Outcome of io.procsupd.Job.
void write_outcome(json::Writer& writer, const Instance& instance, bool ok, std::string_view cause,
                   const OutcomeDetails& details = {});

/// The last run that has ended; null when it came to no program, or there was none.
const EndedRun* last_run(const Instance& instance);

/// Members exitCode and exitSignal, of which at most one is not null.
void write_exit(json::Writer& writer, const EndedRun* run);

/// Members formerMains and formerMainsCpuUSec, where there were any.
void write_former_mains(json::Writer& writer, const Account& account);

/// A member of type EndedRun; none when there is no run.
void write_run(json::Writer& writer, std::string_view name, const EndedRun* run, const HostPort& host);

/// Of one that is stopping, when it is killed, and whether it is started again.
void write_stopping(json::Writer& writer, const Instance& instance, const HostPort& host);

/// Microseconds of the wall clock since 1970.
std::int64_t wall_usec(const HostPort& host, TimePoint when);

}  // namespace procsup
