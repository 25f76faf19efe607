#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conf/configuration_reader.h"
#include "conf/surroundings.h"

namespace procsup {

/// A machine for tests and for the fuzzer: a few users, every directory but those below /missing, every program
/// below /usr/bin but "nope".
class FakeSurroundings final : public Surroundings {
public:
    uid_t uid = 0;
    gid_t gid = 0;
    CapabilitySet capabilities = ~CapabilitySet{0};  ///< of root
    std::vector<UserEntry> users{{"root", 0, 0, "/root", "/bin/bash"},
                                 {"www-data", 33, 33, "/var/www", "/usr/sbin/nologin"},
                                 {"nobody", 65534, 65534, "/nonexistent", "/usr/sbin/nologin"}};
    std::map<std::string, gid_t> groups{{"root", 0}, {"adm", 4}, {"www-data", 33}, {"nogroup", 65534}};
    std::map<std::string, std::string> variables{{"HOME", "/root"}, {"TZ", "Europe/Berlin"}};
    std::map<std::string, std::string> files;
    std::set<std::string> existing;

    uid_t own_uid() const override { return uid; }
    gid_t own_gid() const override { return gid; }
    CapabilitySet own_capabilities() const override { return uid == 0 ? capabilities : 0; }
    CapabilitySet known_capabilities() const override { return (capability_bit(40) << 1) - 1; }
    Result<std::optional<UserEntry>> user(const std::string& name) const override {
        return find([&](const UserEntry& entry) { return entry.name == name; });
    }
    Result<std::optional<UserEntry>> user(uid_t id) const override {
        return find([&](const UserEntry& entry) { return entry.uid == id; });
    }
    Result<std::optional<gid_t>> group(const std::string& name) const override {
        const auto found = groups.find(name);
        return found != groups.end() ? std::optional<gid_t>(found->second) : std::nullopt;
    }
    std::vector<gid_t> groups_of(const UserEntry& entry) const override {
        return entry.name == "www-data" ? std::vector<gid_t>{4} : std::vector<gid_t>{};
    }
    std::optional<std::string> variable(const std::string& name) const override {
        const auto found = variables.find(name);
        return found != variables.end() ? std::optional<std::string>(found->second) : std::nullopt;
    }
    std::optional<std::string> directory_fault(const std::string& path) const override {
        return path.starts_with("/missing") ? std::optional<std::string>("No such file or directory") : std::nullopt;
    }
    std::optional<std::string> writing_fault(const std::string& path) const override {
        return path.starts_with("/readonly") ? std::optional<std::string>("cannot write in /: Read-only file system")
                                             : std::nullopt;
    }
    bool is_program(const std::string& path) const override {
        return path.starts_with("/usr/bin/") && !path.ends_with("nope") && path.find(' ') == std::string::npos;
    }
    bool exists(const std::string& path) const override { return existing.contains(path); }
    /// Two hours before UTC, but for that itself.
    Result<std::shared_ptr<const Zone>> time_zone(const std::string& name) const override {
        if (name.find("nowhere") != name.npos) return Error{"unknown time zone '" + name + "'"};
        const std::chrono::hours offset(name == "UTC" ? 0 : 2);
        return std::make_shared<const Zone>(name, offset, std::vector<Zone::Change>());
    }
    Result<std::optional<std::string>> small_file(const std::string& path, uid_t) const override {
        const auto found = files.find(path);
        return found != files.end() ? std::optional<std::string>(found->second) : std::nullopt;
    }

private:
    template <typename Match>
    Result<std::optional<UserEntry>> find(Match match) const {
        for (const auto& entry : users) {
            if (match(entry)) return std::optional<UserEntry>(entry);
        }
        return std::optional<UserEntry>();
    }
};

}  // namespace procsup
