#pragma once

#include <cstddef>

namespace procsup {

/// What execve(2) has not found (ENOENT) may be there all the same, and what it is to be run by is not. Puts the name of that,
/// as the program says it, into `name`: of a script what its first line names, of an ELF program its loader. Empty: the
/// program is not there, cannot be read, or names nothing. For the child, which a dead file system may hold up here as it
/// may in execve: nothing is called but the kernel.
void read_interpreter(const char* program, char* name, std::size_t size);

}  // namespace procsup
