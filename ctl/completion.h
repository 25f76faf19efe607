#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/command_line.h"

namespace procsup::ctl {

struct Candidate {
    std::string word;
    std::string help;  ///< one line, or empty
};

/// What can stand at the end of an unfinished command line. Pure: the names of jobs come later, from the supervisor.
struct Candidates {
    std::vector<Candidate> words;
    bool jobs = false;             ///< names of jobs and instances too
    std::string_view coordinated;  ///< "lock": names of such too; empty: no
    bool files = false;            ///< the shell's own file names
    bool commands = false;         ///< the shell's own commands
};

/// `words` are those behind the program's name, the last one unfinished (perhaps empty).
Candidates candidates_for(std::span<const std::string_view> words);

inline constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};

/// The completion script for one of kShells; empty for any other.
std::string_view completion_script(std::string_view shell);

}  // namespace procsup::ctl
