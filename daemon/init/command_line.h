#pragma once

namespace procsup::init {

constexpr int kExitOwnFailure = 125;  ///< as env(1) and timeout(1) have it

struct CommandLine {
    enum class What { Run, Help, Version, Wrong };
    What what = What::Wrong;
    bool to_group = false;     ///< -g
    int on_parent_death = 0;   ///< of --pdeath: a signal; 0: it was not given
    char** command = nullptr;  ///< ends with nullptr; the element in front of it is there, and not needed any more
};

/// Says what is wrong on standard error.
CommandLine parse_command_line(int argc, char** argv);

/// Usage, or the version.
void print(CommandLine::What what);

/// A signal by name, with or without SIG, or by number, or as RTMIN+N; 0: it is none.
int parse_signal(const char* text);

}  // namespace procsup::init
