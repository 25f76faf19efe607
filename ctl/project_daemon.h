#pragma once

#include <optional>
#include <string>

#include "common/fd.h"
#include "common/result.h"
#include "common/units.h"
#include "ctl/socket_path.h"

namespace procsup::ctl {

/// The program procsupd: beside procsupctl, where an installation or the build tree has it, else in PATH; empty when
/// it is nowhere.
std::string find_procsupd();

/// The supervisor of one project file, in the runtime directory that belongs to the file.
struct Project {
    std::string file;  ///< real path
    std::string runtime_dir;
    std::string log_dir;  ///< of captured output; made by procsupd

    std::string socket() const { return runtime_dir + "/" + std::string(kSocketName); }
    std::string log() const { return runtime_dir + "/procsupd.log"; }

    static Result<Project> of(const std::string& file, const Surroundings& surroundings);
};

/// How starting a project's supervisor came out.
struct ProjectStart {
    enum class Outcome { Ready, Ended, TimedOut };
    Outcome outcome = Outcome::Ready;
    int exit_code = 0;  ///< of Ended
    std::string log;    ///< what it wrote meanwhile
};

/// Starts procsupd for the project in a session of its own, its output to the project's log, and waits until it
/// says READY=1, ends, or `timeout` has passed (it then goes on).
Result<ProjectStart> start_project_daemon(const Project& project, const std::string& program, uid_t uid,
                                          Duration timeout);

}  // namespace procsup::ctl
