#include "daemon/host/side_spec.h"

#include <algorithm>

#include "common/signal_name.h"
#include "conf/placeholder.h"

namespace procsup {

namespace {

void add_outcome(const RunOutcome& outcome, std::vector<std::string>& env) {
    if (!outcome.cause.empty()) env.push_back("PROCSUPD_CAUSE=" + protect(outcome.cause));
    if (outcome.result) env.push_back("PROCSUPD_RESULT=" + std::string(to_text(*outcome.result)));
    if (!outcome.status) return;
    if (outcome.status->by_signal()) {
        env.push_back("PROCSUPD_EXIT_SIGNAL=" + signal_name(outcome.status->value));
    } else {
        env.push_back("PROCSUPD_EXIT_CODE=" + std::to_string(outcome.status->value));
    }
}

}  // namespace

JobSpec side_spec(const SideOrder& order, const std::string& probe_program) {
    JobSpec spec = order.spec;
    const auto& command = command_of(order.spec, order.role);
    spec.command = command.argv;
    const bool probes = is_probe(order.role);
    if (order.role == SideRole::HealthCheck) {
        // The first is the probe's own, and a command to run may have one that is called so.
        const auto option = std::find(spec.command.begin(), spec.command.end(), kWatchOption);
        if (option != spec.command.end()) *option = kOnceOption;
    }
    spec.program = probes ? probe_program : command.program;
    if (probes) spec.readiness.fd = kProbeReportFd;
    // Its sockets are the run's alone; they are there when its pre_start begins.
    if (order.role != SideRole::PreStart) spec.sockets.clear();
    // The job's own input is the job's to read.
    spec.stdin_stream = Stream{Stream::Kind::Null, {}};
    // What it says is not what another job waits for, and it must not wait itself until that reads.
    if (spec.stdout_stream.kind == Stream::Kind::Pipe) spec.stdout_stream = spec.stderr_stream;
    if (const auto hook = hook_of(order.role)) spec.env.push_back("PROCSUPD_HOOK=" + std::string(word_of(*hook)));
    add_outcome(order.outcome, spec.env);
    if (order.main_pid != 0) spec.env.push_back("PROCSUPD_MAIN_PID=" + std::to_string(order.main_pid));
    return spec;
}

}  // namespace procsup
