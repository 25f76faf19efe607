#pragma once

#include <vector>

#include "conf/enforcement.h"

namespace procsup {

/// How a job is kept from what [sandbox] keeps it from. Landlock, which needs no privileges, permits whole directories and
/// cannot except anything below them; so it is used only where everything is read-only but for some directories.
enum class SandboxMeans { None, Mounts, Landlock };

SandboxMeans sandbox_means(const JobSpec& spec, const Abilities& abilities);

/// What of [sandbox] this does not enforce.
std::vector<Shortfall> sandbox_shortfalls(const JobSpec& spec, const Abilities& abilities);

/// The value of one of the keys for files in [sandbox] as it stands in a file; empty: it is not set, or another key.
std::string sandbox_setting(const JobSpec& spec, Key key);

}  // namespace procsup
