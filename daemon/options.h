#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "conf/job_spec.h"

namespace procsup {

/// What procsupd was asked to do on its command line.
struct Options {
    enum class Mode { Supervise, Check, Load, ListProcesses, PrintSchema, Version, Help };
    Mode mode = Mode::Supervise;
    std::string config;       ///< absolute; a project file or a directory
    std::string runtime_dir;  ///< empty: as the configuration says, else default_runtime_dir
    std::string state_dir;    ///< empty: as the configuration says, else default_state_dir
    std::string log_dir;      ///< empty: see choose_log_dir()
    std::string default_runtime_dir;
    std::string default_state_dir;
    std::string default_log_dir;
    bool delegated = false;  ///< the daemon's own cgroup is its to divide, though nothing on it says so
    bool json = false;       ///< what --check says is for programs
    bool batch = false;      ///< end when all jobs but daemons have ended
    std::optional<ContainmentMode> containment;  ///< absent: as the configuration says
    std::vector<std::string> operands;           ///< of the internal modes
};

/// Reads the command line; the Error is a usage error. Relative paths are made absolute.
Result<Options> parse_options(int argc, char** argv);

/// Where captured output is kept: as the command line says, else `configured`, else in a state directory that the command
/// line names, else in the default one. Absolute.
std::string choose_log_dir(const Options& options, const std::string& configured);

std::string usage();

}  // namespace procsup
