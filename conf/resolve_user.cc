#include <algorithm>
#include <string>

#include "conf/job_resolver.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

/// To setresuid(2) and setresgid(2) it means "leave it as it is": root would stay root.
constexpr std::uint32_t kNoId = UINT32_MAX;

}  // namespace

std::optional<UserEntry> JobResolver::user_entry(const PlacedName& user) {
    const auto found = user.id ? surroundings_.user(*user.id) : surroundings_.user(user.name);
    if (!found) {
        problems_.add(user.place, found.error().message);
        return std::nullopt;
    }
    if (*found && ((*found)->uid == kNoId || (*found)->gid == kNoId)) {
        problems_.add(user.place, "cannot run as user " + quoted((*found)->name) +
                                      ": the user database gives it the id " + std::to_string(kNoId) +
                                      ", which stands for none");
        return std::nullopt;
    }
    if (*found) return **found;
    // An id needs no entry: containers have many that are in no database.
    if (user.id) return UserEntry{{}, *user.id, 0, {}, {}};
    problems_.add(user.place, "unknown user " + quoted(user.name));
    return std::nullopt;
}

std::optional<gid_t> JobResolver::group_id(const PlacedName& group, std::string_view name) {
    if (group.id) return *group.id;
    const auto found = surroundings_.group(std::string(name));
    if (!found) {
        problems_.add(group.place, found.error().message);
        return std::nullopt;
    }
    if (!*found) problems_.add(group.place, "unknown group " + quoted(name));
    if (*found != kNoId) return *found;
    problems_.add(group.place, "cannot use group " + quoted(name) + ": the group database gives it the id " +
                                   std::to_string(kNoId) + ", which stands for none");
    return std::nullopt;
}

void JobResolver::resolve_user(Job& job) {
    const auto& draft = job.draft;
    const uid_t own = surroundings_.own_uid();
    Identity identity{own, surroundings_.own_gid(), {}};
    if (draft.user) {
        const auto entry = user_entry(*draft.user);
        if (!entry) return;
        const bool known = !entry->name.empty();
        if (known) job.entry = *entry;
        identity.uid = entry->uid;
        if (known) identity.gid = entry->gid;
        if (!known && !draft.group && entry->uid != own) {
            problems_.add(draft.user->place,
                          "user " + std::to_string(entry->uid) + " is in no user database: set 'group' too");
            return;
        }
        if (own != 0 && entry->uid != own) {
            problems_.add(draft.user->place, "cannot run as another user without root");
            return;
        }
    } else if (const auto entry = surroundings_.user(own); entry && *entry) {
        job.entry = **entry;
    }
    job.uid = identity.uid;
    resolve_groups(job, identity, !draft.user);
}

void JobResolver::resolve_groups(Job& job, Identity& identity, bool own_user) {
    const auto& draft = job.draft;
    if (draft.group) {
        const auto gid = group_id(*draft.group, draft.group->name);
        if (!gid) return;
        identity.gid = *gid;
    }
    const bool listed = draft.written(Key::Groups);
    for (const auto& name : draft.groups) {
        if (const auto gid = group_id(name, name.name)) identity.groups.push_back(*gid);
    }
    if (!listed && job.entry) identity.groups = surroundings_.groups_of(*job.entry);
    auto& groups = identity.groups;
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    std::erase(groups, identity.gid);
    if (own_user && !draft.group && !listed) return;
    if (surroundings_.own_uid() == 0) {
        job.spec.identity = std::move(identity);
        return;
    }
    if (listed || (draft.group && identity.gid != surroundings_.own_gid())) {
        problems_.add(job.key_place(listed ? Key::Groups : Key::Group), "cannot change groups without root");
    }
}

void JobResolver::resolve_owner(Job& job) {
    if (!job.draft.owner) return;
    if (const auto entry = user_entry(*job.draft.owner)) job.spec.owner = entry->uid;
}

}  // namespace procsup
