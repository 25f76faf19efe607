#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/varlink/server.h"
#include "daemon/control/access.h"
#include "daemon/control/host_port.h"
#include "daemon/engine/supervisor.h"

namespace procsup {

/// What every method needs; owned by Control, which outlives all of them.
struct ControlContext {
    EventLoop& loop;
    Supervisor& supervisor;
    HostPort& host;
    Access access;
};

/// The instances that the call's `names` (or `name`) mean, for all of which the caller has the access that its method
/// needs. Nothing when the call was answered with an error: no such job, not allowed, too many names, none at all.
std::optional<std::vector<InstanceId>> selected(const ControlContext& context, varlink::PendingCall& call);
/// As selected(); without `names`, all there are.
std::optional<std::vector<const Instance*>> selected_or_all(const ControlContext& context, varlink::PendingCall& call);
/// As selected(), of these names instead of the call's.
std::optional<std::vector<InstanceId>> selected(const ControlContext& context, varlink::PendingCall& call,
                                                const std::vector<std::string>& names);
/// What the call names: `name`, and `names`.
std::vector<std::string> names_of(const varlink::PendingCall& call);
/// Whether the call has a list `names` that is not empty.
bool has_names(const varlink::PendingCall& call);

/// The one job that the call's `name` is, as selected(): not an instance, and no pattern.
std::optional<std::string> selected_job(const ControlContext& context, varlink::PendingCall& call);

/// Whether the call's timeoutUSec, if it has one, is one.
bool has_valid_timeout(varlink::PendingCall& call);

/// That nothing is called `name`, with what is called nearly so: only for who may know all names.
std::string no_such_job_text(const ControlContext& context, std::string_view name);
/// Answers that nothing is called `name`, with what is called nearly so; refuses a caller who may not know the names.
void fail_no_such_job(const ControlContext& context, varlink::PendingCall& call, std::string_view name);

/// Refuses the call unless the caller has the access that its method needs; says whether it may go on.
bool admitted(const ControlContext& context, varlink::PendingCall& call);
/// Refuses new work while the daemon ends; says whether the call may go on.
bool open_for_work(const ControlContext& context, varlink::PendingCall& call);

/// Answers with InvalidParameter, and what would be valid.
void fail_invalid(varlink::PendingCall& call, std::string_view parameter, std::string_view message);

/// "start asked by uid 1000 (pid 4711)".
std::string asked_by(std::string_view what, const varlink::Peer& peer);

/// The full name of one of the call's own errors: "io.procsupd.Job.NotRunning".
std::string error_name(const varlink::PendingCall& call, std::string_view error);

}  // namespace procsup
