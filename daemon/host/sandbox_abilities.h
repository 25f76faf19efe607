#pragma once

namespace procsup {

/// errno with which a job would be refused mounts of its own; 0: it can have them. Tried by a process that ends at once.
int find_mounts_error();

/// The version of the kernel's Landlock ABI; 0: there is none.
int find_landlock();

}  // namespace procsup
