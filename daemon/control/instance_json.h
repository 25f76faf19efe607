#pragma once

#include "common/json.h"
#include "daemon/control/host_port.h"
#include "daemon/engine/instance.h"

namespace procsup {

/// Type Instance of io.procsupd.Manager.
void write_instance(json::Writer& writer, const Instance& instance, const HostPort& host);

/// Type Outcome of io.procsupd.Job.
void write_outcome(json::Writer& writer, const Instance& instance, bool ok, std::string_view cause);

/// How the last run ended; nothing when it came to no program, or there was none.
std::optional<ExitStatus> exit_of_last_run(const Instance& instance);

/// Members exitCode and exitSignal, of which at most one is not null.
void write_exit(json::Writer& writer, const std::optional<ExitStatus>& status);

/// Microseconds of the wall clock since 1970.
std::int64_t wall_usec(const HostPort& host, TimePoint when);

}  // namespace procsup
