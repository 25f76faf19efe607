#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "common/result.h"
#include "conf/tree_limits.h"

namespace procsup {

/// The daemon's part of the cgroup v2 tree (cgroups(7)): one directory, with a group in it for each run. A process leaves its
/// group only by writing to another one, for which it needs the rights there.
class CgroupRoot {
public:
    /// Makes the directory in the daemon's own group. Only where the tree is the daemon's to divide: delegated by systemd, and
    /// then the daemon itself goes into a group "supervisor" beside it, because a group with processes can have no
    /// controllers below; or nobody's, because systemd does not run: then the directory is called after `name`, and the daemon goes
    /// aside only where it is alone. `delegated` says that it is, where systemd does not mark it. The Error says why there can be
    /// no groups.
    static Result<CgroupRoot> claim(std::string_view name, bool delegated);

    CgroupRoot(CgroupRoot&&) = default;
    CgroupRoot& operator=(CgroupRoot&&) = default;
    ~CgroupRoot() = default;

    /// One that an earlier daemon has made and left, wherever that was; nothing when there is none.
    static std::optional<CgroupRoot> find(const std::string& path);

    const std::string& path() const { return path_; }
    /// Why controllers cannot be enabled for groups of this one; and of one that claim() would make, which it does not do.
    ControllerFaults controller_faults() const;
    static ControllerFaults controller_faults_here();
    int descriptor() const { return directory_.get(); }
    /// A copy of the directory's descriptor.
    Fd directory() const;

    /// A directory descriptor of the group; it is made when it is not there. EBUSY when processes are in it.
    Result<Fd> open_empty(const std::string& group) const;
    /// Whether a process is in the group or below. A zombie is not.
    bool is_populated(const std::string& group) const;
    /// SIGKILL to every process in the group and below at once; none of them can fork meanwhile (cgroup.kill). The group can
    /// only be removed after that: Linux kills whatever CLONE_INTO_CGROUP makes in a group that was killed more often than the
    /// maker's own (observed with 6.18).
    void kill(const std::string& group) const;
    /// To every process in the group and below.
    void signal(const std::string& group, int signal) const;
    /// No process in the group and below runs any more, or all go on (cgroup.freeze).
    void freeze(const std::string& group, bool freeze) const;
    /// Removes the group, and those that its processes made below, as far as they are empty.
    void remove(const std::string& group) const;
    /// The group that a process is in, or was in while it is a zombie; nothing when it is in none of these.
    std::optional<std::string> group_of(pid_t pid) const;

    /// SIGKILL to everything; whether nothing is left, and the groups are removed.
    bool clear() const;
    /// Removes the groups and the directory, as far as they are empty.
    void remove() const;

private:
    CgroupRoot(std::string path, std::string name, Fd directory)
        : path_(std::move(path)), name_(std::move(name)), directory_(std::move(directory)) {}

    void remove_groups() const;

    std::string path_;  ///< in the file system
    std::string name_;  ///< as /proc/PID/cgroup shows it
    Fd directory_;
};

}  // namespace procsup
