#pragma once

namespace procsup::probe {

/// As execvp(3), with -errno as its result. The element in front of `argv` may be written to, and is when it is a script
/// of the shell.
long execute(char** argv, char** envp);

}  // namespace procsup::probe
