#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/command_line.h"

namespace procsup::ctl {

/// What can stand at the end of an unfinished command line. Pure: the names of jobs come later, from the supervisor.
struct Candidates {
    std::vector<std::string> words;
    bool jobs = false;      ///< names of jobs and instances too
    bool files = false;     ///< the shell's own file names
    bool commands = false;  ///< the shell's own commands
};

/// `words` are those behind the program's name, the last one unfinished (perhaps empty).
Candidates candidates_for(std::span<const std::string_view> words);

/// The completion script for bash.
std::string_view bash_completion();

}  // namespace procsup::ctl
