#include "daemon/host/side_spec.h"

namespace procsup {

JobSpec side_spec(const SideOrder& order, const std::string& probe_program) {
    JobSpec spec = order.spec;
    const auto& command = command_of(order.spec, order.role);
    spec.command = command.argv;
    spec.program = order.role == SideRole::ReadyProbe ? probe_program : command.program;
    // The job's own input is the job's to read.
    spec.stdin_stream = Stream{Stream::Kind::Null, {}};
    // What it says is not what another job waits for, and it must not wait itself until that reads.
    if (spec.stdout_stream.kind == Stream::Kind::Pipe) spec.stdout_stream = spec.stderr_stream;
    if (order.main_pid != 0) spec.env.push_back("PROCSUPD_MAIN_PID=" + std::to_string(order.main_pid));
    return spec;
}

}  // namespace procsup
