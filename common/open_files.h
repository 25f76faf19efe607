#pragma once

namespace procsup {

/// Lets this program have as many descriptors as it may (RLIMIT_NOFILE).
void raise_open_files();

}  // namespace procsup
