#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/expand.h"
#include "daemon/engine/ports.h"

/// What the helper `procsupd --provide` is asked to do, and does: it touches file systems that may hang, so that the
/// supervisor does not. Request and answer are JSON.
namespace procsup {

/// Why something could not be provided.
struct ProvisionFailure {
    SpawnStage stage = SpawnStage::None;
    int os_error = 0;
    std::string text;  ///< "cannot read credential 'key' from /etc/key: No such file or directory"
};

/// The directories and credentials of `spec` are to be made for the instance `name`.
std::string request_to_lay_out(const std::string& runtime_dir, const JobSpec& spec, const InstanceName& name);

struct ToRemove {
    std::string credentials;   ///< of this instance; empty: of none
    std::vector<JobDir> dirs;  ///< expanded
};
std::string request_to_remove(const std::string& runtime_dir, const ToRemove& what);
/// The credentials of all instances.
std::string request_to_remove_all(const std::string& runtime_dir);

/// In the helper: does it. The answer, empty when all went well.
std::string provide(std::string_view request);

/// What the helper said.
std::vector<ProvisionFailure> failures_in(const std::string& answer);

}  // namespace procsup
