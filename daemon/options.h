#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "conf/load.h"

namespace procsup {

/// What procsupd was asked to do on its command line.
struct Options {
    enum class Mode { Supervise, Check, Abilities, Load, ListProcesses, Provide, PrintSchema, Version, Help };
    Mode mode = Mode::Supervise;
    ConfigPaths config;       ///< absolute
    std::string runtime_dir;  ///< empty: as the configuration says, else the first of these that can be made
    std::vector<std::string> default_runtime_dirs;
    DaemonPlaces places;
    bool delegated = false;  ///< the daemon's own cgroup is its to divide, though nothing on it says so
    /// --check says what cannot be enforced too: by abilities as --abilities prints them, or of this process when it is empty.
    std::optional<std::string> here;
    bool json = false;                           ///< what --check says is for programs
    bool batch = false;                          ///< end when all jobs but daemons have ended
    std::optional<ContainmentMode> containment;  ///< absent: as the configuration says
    std::vector<std::string> operands;           ///< of the internal modes
};

/// Reads the command line; the Error is a usage error. Relative paths are made absolute.
Result<Options> parse_options(int argc, char** argv);

std::string usage();

}  // namespace procsup
