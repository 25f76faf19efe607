#pragma once

#include <map>
#include <utility>

#include "conf/surroundings.h"

namespace procsup {

/// Asks another Surroundings each question once: thousands of jobs share a few users, directories and programs.
/// Lives for one load, so an answer is never old.
class CachingSurroundings final : public Surroundings {
public:
    explicit CachingSurroundings(const Surroundings& inner)
        : inner_(inner), uid_(inner.own_uid()), gid_(inner.own_gid()), capabilities_(inner.own_capabilities()) {}
    uid_t own_uid() const override { return uid_; }
    gid_t own_gid() const override { return gid_; }
    CapabilitySet own_capabilities() const override { return capabilities_; }
    CapabilitySet known_capabilities() const override { return inner_.known_capabilities(); }
    Result<std::optional<UserEntry>> user(const std::string& name) const override {
        return once(users_, name, [&] { return inner_.user(name); });
    }
    Result<std::optional<UserEntry>> user(uid_t uid) const override {
        return once(uids_, uid, [&] { return inner_.user(uid); });
    }
    Result<std::optional<gid_t>> group(const std::string& name) const override {
        return once(groups_, name, [&] { return inner_.group(name); });
    }
    std::vector<gid_t> groups_of(const UserEntry& user) const override {
        return once(memberships_, user.name, [&] { return inner_.groups_of(user); });
    }
    std::optional<std::string> variable(const std::string& name) const override { return inner_.variable(name); }
    std::optional<std::string> writing_fault(const std::string& path) const override {
        return inner_.writing_fault(path);
    }
    std::optional<std::string> directory_fault(const std::string& path) const override {
        return once(directories_, path, [&] { return inner_.directory_fault(path); });
    }
    bool is_program(const std::string& path) const override {
        return once(programs_, path, [&] { return inner_.is_program(path); });
    }
    bool exists(const std::string& path) const override { return inner_.exists(path); }
    Result<std::shared_ptr<const Zone>> time_zone(const std::string& name) const override {
        return once(zones_, name, [&] { return inner_.time_zone(name); });
    }
    Result<std::optional<std::string>> small_file(const std::string& path, uid_t owner) const override {
        return once(files_, std::pair(path, owner), [&] { return inner_.small_file(path, owner); });
    }

private:
    template <typename Answers, typename Question, typename Ask>
    static typename Answers::mapped_type once(Answers& answers, const Question& question, Ask ask) {
        auto found = answers.find(question);
        if (found == answers.end()) found = answers.emplace(question, ask()).first;
        return found->second;
    }

    const Surroundings& inner_;
    const uid_t uid_;
    const gid_t gid_;
    const CapabilitySet capabilities_;
    mutable std::map<std::string, Result<std::optional<UserEntry>>> users_;
    mutable std::map<uid_t, Result<std::optional<UserEntry>>> uids_;
    mutable std::map<std::string, Result<std::optional<gid_t>>> groups_;
    mutable std::map<std::string, std::vector<gid_t>> memberships_;
    mutable std::map<std::string, std::optional<std::string>> directories_;
    mutable std::map<std::string, bool> programs_;
    mutable std::map<std::string, Result<std::shared_ptr<const Zone>>> zones_;
    mutable std::map<std::pair<std::string, uid_t>, Result<std::optional<std::string>>> files_;
};

}  // namespace procsup
