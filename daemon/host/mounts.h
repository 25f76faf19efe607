#pragma once

#include <string>
#include <string_view>

namespace procsup {

/// A mounted file system.
struct Mount {
    std::string point;   ///< "/var/log"
    std::string device;  ///< "254:1", the same wherever else it is mounted too
};

/// What `path` (absolute) is on, as /proc/self/mountinfo lists it (proc_pid_mountinfo(5)): nothing of the file system itself
/// is looked at, which may hang. Symbolic links in the path are therefore not followed.
Mount mount_of(std::string_view path, std::string_view mountinfo);

/// With this process's own list; where there is none, "/" of no device.
Mount mount_of(std::string_view path);

}  // namespace procsup
