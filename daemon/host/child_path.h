#pragma once

#include <fcntl.h>
#include <linux/openat2.h>

#include "common/raw_syscall.h"

namespace procsup {

/// A descriptor that stands for what is at `path`, or -errno. Nothing is called but the kernel. Without `follow_links` a path
/// that is or goes through a symbolic link is refused (ELOOP).
inline long open_path(const char* path, bool follow_links) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = follow_links ? 0 : RESOLVE_NO_SYMLINKS;
    return raw_syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

}  // namespace procsup
