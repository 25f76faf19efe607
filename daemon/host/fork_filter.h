#pragma once

#include <linux/filter.h>

#include <vector>

#include "common/result.h"

namespace procsup {

/// What the kernel asks at each system call of a job with may_fork = false: new processes are refused with EPERM in every
/// ABI that the machine executes, threads are not. Owns the program, which is the same for all jobs; no launch pays for it
/// before one needs it. Never installs it: that is the child's last step before exec.
class ForkFilter {
public:
    ForkFilter() = default;
    ForkFilter(const ForkFilter&) = delete;
    ForkFilter& operator=(const ForkFilter&) = delete;

    /// For seccomp(2); made by the first call, and there as long as this object.
    Result<const sock_fprog*> program();

private:
    std::vector<sock_filter> instructions_;
    sock_fprog program_{};
};

}  // namespace procsup
