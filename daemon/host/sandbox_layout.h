#pragma once

#include <string>
#include <vector>

#include "common/fd.h"
#include "conf/sandbox_paths.h"
#include "daemon/host/child_sandbox.h"

namespace procsup {

/// What one launch is set apart by.
struct SandboxOrder {
    SandboxMeans means = SandboxMeans::None;
    int landlock = 0;  ///< as Abilities::landlock
    Fd mounts;         ///< the mount namespace of the run that it belongs to; none: it gets its own
};

/// The paths of one launch, kept where the child's plan points to.
class SandboxLayout {
public:
    /// `runtime_dir` is procsupd's, absolute; it outlives the launch.
    void lay_out(const JobSpec& spec, const InstanceName& name, SandboxOrder order, const std::string& runtime_dir,
                 ChildSandbox& sandbox);
    /// The child has its own descriptors.
    void release() { mounts_.reset(); }

private:
    std::vector<PlacedPath> paths_;
    std::vector<ChildSandbox::Path> laid_out_;
    Fd mounts_;
};

}  // namespace procsup
