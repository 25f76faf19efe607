#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/capability.h"
#include "common/result.h"
#include "conf/time_zone.h"

namespace procsup {

/// What the user database says of one user.
struct UserEntry {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
    std::string shell;
};

/// Everything that checking a configuration asks of the machine besides the files it is written in: a port, so that
/// the reader can be tested and fuzzed without users, directories and programs. Not found is an empty optional;
/// an Error means that the question could not be answered.
class Surroundings {
public:
    virtual ~Surroundings() = default;
    virtual uid_t own_uid() const = 0;
    virtual gid_t own_gid() const = 0;
    /// What the daemon can use and give to jobs.
    virtual CapabilitySet own_capabilities() const = 0;
    /// By the kernel that runs.
    virtual CapabilitySet known_capabilities() const = 0;
    virtual Result<std::optional<UserEntry>> user(const std::string& name) const = 0;
    virtual Result<std::optional<UserEntry>> user(uid_t uid) const = 0;
    virtual Result<std::optional<gid_t>> group(const std::string& name) const = 0;
    /// The groups of `user` from the group database, without its own gid.
    virtual std::vector<gid_t> groups_of(const UserEntry& user) const = 0;
    virtual std::optional<std::string> variable(const std::string& name) const = 0;
    /// Why `path` cannot be used as a directory; nothing when it can.
    virtual std::optional<std::string> directory_fault(const std::string& path) const = 0;
    /// Why this user cannot make files in the directory `path`, or the directory; nothing when that should be possible.
    virtual std::optional<std::string> writing_fault(const std::string& path) const = 0;
    virtual bool is_program(const std::string& path) const = 0;
    virtual bool exists(const std::string& path) const = 0;
    /// What clocks show there; see load_zone().
    virtual Result<std::shared_ptr<const Zone>> time_zone(const std::string& name) const = 0;
    /// The text of a small file; `owner` is whose file it may be besides root's, when root reads it.
    virtual Result<std::optional<std::string>> small_file(const std::string& path, uid_t owner) const = 0;
};

/// The real one. `as_root`: files that others than root (or the owner asked for) may write are refused.
class SystemSurroundings final : public Surroundings {
public:
    explicit SystemSurroundings(bool as_root) : as_root_(as_root) {}
    uid_t own_uid() const override;
    gid_t own_gid() const override;
    CapabilitySet own_capabilities() const override;
    CapabilitySet known_capabilities() const override;
    Result<std::optional<UserEntry>> user(const std::string& name) const override;
    Result<std::optional<UserEntry>> user(uid_t uid) const override;
    Result<std::optional<gid_t>> group(const std::string& name) const override;
    std::vector<gid_t> groups_of(const UserEntry& user) const override;
    std::optional<std::string> variable(const std::string& name) const override;
    std::optional<std::string> directory_fault(const std::string& path) const override;
    std::optional<std::string> writing_fault(const std::string& path) const override;
    bool is_program(const std::string& path) const override;
    bool exists(const std::string& path) const override;
    Result<std::shared_ptr<const Zone>> time_zone(const std::string& name) const override;
    Result<std::optional<std::string>> small_file(const std::string& path, uid_t owner) const override;

private:
    bool as_root_;
};

}  // namespace procsup
