#include "daemon/engine/ports.h"

namespace procsup {
namespace {

std::string open(const char* name, const Stream& stream) {
    if (stream.kind == Stream::Kind::Capture || stream.kind == Stream::Kind::Forward)
        return std::string("hand ") + name + " to procsup-logger";
    return std::string("open ") + name + (stream.kind == Stream::Kind::Pipe ? ", a pipe " : " ") + stream.path;
}

std::string describe(SpawnStage stage, const JobSpec& spec, const std::string& program) {
    switch (stage) {
        case SpawnStage::None: return "start";
        case SpawnStage::Cancelled: return "cancelled before it began";
        case SpawnStage::Containment: return "hold its processes together";
        case SpawnStage::Keeper: return "start the keeper of its processes";
        case SpawnStage::Clone: return "create a process";
        case SpawnStage::Session: return "create a session";
        case SpawnStage::Stdin: return open("stdin", spec.stdin_stream);
        case SpawnStage::Stdout: return open("stdout", spec.stdout_stream);
        case SpawnStage::Stderr: return open("stderr", spec.stderr_stream);
        case SpawnStage::Journal: return "connect to the journal";
        case SpawnStage::Enforce: return "enforce what it is strict about";
        case SpawnStage::Limits: return "set the resource limits";
        case SpawnStage::Scheduling: return "set limits.scheduling";
        case SpawnStage::Nice: return "set limits.nice";
        case SpawnStage::IoPriority: return "set limits.io_priority";
        case SpawnStage::CpuAffinity: return "set limits.cpu_affinity";
        case SpawnStage::OomScore: return "set limits.oom_score_adjust";
        case SpawnStage::Groups: return "set the supplementary groups";
        case SpawnStage::Group: return "change the group";
        case SpawnStage::User: return "change the user";
        case SpawnStage::VerifyIds: return "verify that the user was changed";
        case SpawnStage::Privileges: return "give up new privileges";
        case SpawnStage::Mounts: return "give it mounts of its own";
        case SpawnStage::ReadOnlyPath: return "make its read_only_paths read-only";
        case SpawnStage::ReadWritePath: return "keep its read_write_paths writable";
        case SpawnStage::PrivateTmp: return "give it a /tmp and /var/tmp of its own";
        case SpawnStage::Landlock: return "make everything but its read_write_paths read-only by Landlock";
        case SpawnStage::KnownCapabilities:
            return "find all of " +
                   capabilities_text(spec.privileges.capabilities.value_or(0) | spec.privileges.ambient) +
                   " among the capabilities of this kernel";
        case SpawnStage::Capabilities:
            return "limit its capabilities to " + capabilities_text(spec.privileges.capabilities.value_or(0));
        case SpawnStage::AmbientCapabilities: return "give it " + capabilities_text(spec.privileges.ambient);
        case SpawnStage::VerifyRights: return "verify that its capabilities and privileges were changed";
        case SpawnStage::Directories: return "make its directories";
        case SpawnStage::Credentials: return "lay out its credentials";
        case SpawnStage::Sockets: return "listen on its sockets";
        case SpawnStage::WorkingDir: return "change to directory " + spec.working_dir;
        case SpawnStage::ReadyChannel: return "give it the means to say that it is ready";
        case SpawnStage::Filter: return "forbid new processes";
        case SpawnStage::Exec: return "exec " + program;
        case SpawnStage::PreStart: return "prepare its start";
    }
    return "start";
}

}  // namespace

std::string describe(SpawnStage stage, const JobSpec& spec) {
    return describe(stage, spec, spec.program.empty() ? spec.command.front() : spec.program);
}

std::string describe(SpawnStage stage, const JobSpec& spec, const JobCommand& command) {
    return describe(stage, spec, command.program.empty() ? command.argv.front() : command.program);
}

}  // namespace procsup
