#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "conf/job_spec.h"
#include "daemon/host/job_dirs.h"

namespace procsup {

/// Below the runtime directory: one directory for each instance that has credentials.
inline constexpr const char* kCredentials = "credentials";

/// Reads the sources, which may hang, and only then lays them out for `owner` alone, instead of what the directory of
/// `instance` had: runtime_dir/credentials/INSTANCE/NAME.
Result<void> lay_out_credentials(const std::string& runtime_dir, const std::string& instance,
                                 const std::vector<Credential>& credentials, const Owner& owner);

/// Those of `instance`; of all instances when it is empty.
Result<void> remove_credentials(const std::string& runtime_dir, const std::string& instance);

}  // namespace procsup
