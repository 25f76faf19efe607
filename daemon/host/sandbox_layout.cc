#include "daemon/host/sandbox_layout.h"

#include <utility>

namespace procsup {

void SandboxLayout::lay_out(const JobSpec& spec, const InstanceName& name, SandboxOrder order,
                            const std::string& runtime_dir, ChildSandbox& sandbox) {
    sandbox.means = order.means;
    sandbox.refused = false;
    if (order.means == SandboxMeans::None) return;
    mounts_ = std::move(order.mounts);
    paths_ = sandbox_paths(spec, name);
    laid_out_.clear();
    for (const auto& path : paths_) {
        laid_out_.push_back({path.path.c_str(), path.read_only, path.may_be_absent, path.implied, -1});
    }
    sandbox.strict = spec.sandbox.strict;
    sandbox.private_tmp = spec.sandbox.private_tmp;
    sandbox.joined = mounts_ ? mounts_.get() : -1;
    sandbox.landlock = order.landlock;
    sandbox.paths = laid_out_.data();
    sandbox.path_count = laid_out_.size();
    sandbox.runtime_dir = is_in_tmp(runtime_dir) ? runtime_dir.c_str() : nullptr;
}

}  // namespace procsup
