#include "daemon/control/access.h"

#include <algorithm>
#include <array>
#include <utility>

namespace procsup {
namespace {

// Reading is names, states and times; what a job is made of, and why it is as it is, is for those who operate it.
constexpr auto kNeeded = std::to_array<std::pair<std::string_view, Tier>>({
    {"io.procsupd.Manager.Ping", Tier::Read},
    {"io.procsupd.Manager.Status", Tier::Read},
    {"io.procsupd.Manager.Metrics", Tier::Read},
    {"io.procsupd.Manager.Groups", Tier::Read},
    {"io.procsupd.Manager.GetAbilities", Tier::Read},
    {"io.procsupd.Manager.WhoIs", Tier::Read},
    // Which keys of which jobs would change, and no values.
    {"io.procsupd.Manager.Plan", Tier::Operate},
    {"io.procsupd.Manager.Apply", Tier::Admin},
    {"io.procsupd.Manager.Rollback", Tier::Admin},
    {"io.procsupd.Manager.Reload", Tier::Admin},
    {"io.procsupd.Manager.Shutdown", Tier::Admin},
    {"io.procsupd.Job.Wait", Tier::Read},
    {"io.procsupd.Job.Subscribe", Tier::Read},
    {"io.procsupd.Job.Graph", Tier::Read},
    {"io.procsupd.Job.Start", Tier::Operate},
    {"io.procsupd.Job.Stop", Tier::Operate},
    {"io.procsupd.Job.Restart", Tier::Operate},
    {"io.procsupd.Job.RestartRolling", Tier::Operate},
    {"io.procsupd.Job.Scale", Tier::Operate},
    {"io.procsupd.Job.Reload", Tier::Operate},
    {"io.procsupd.Job.CheckHealth", Tier::Operate},
    {"io.procsupd.Job.Signal", Tier::Operate},
    {"io.procsupd.Job.Pause", Tier::Operate},
    {"io.procsupd.Job.Resume", Tier::Operate},
    {"io.procsupd.Job.Reset", Tier::Operate},
    {"io.procsupd.Job.Show", Tier::Operate},
    {"io.procsupd.Job.Cat", Tier::Operate},
    {"io.procsupd.Job.Why", Tier::Operate},
    {"io.procsupd.Job.History", Tier::Operate},
    {"io.procsupd.Job.Schedules", Tier::Read},
    {"io.procsupd.Job.Tree", Tier::Operate},
    // A pass over all processes, as Tree is.
    {"io.procsupd.Job.Usage", Tier::Operate},
    {"io.procsupd.Job.Run", Tier::Operate},
    {"io.procsupd.Log.Open", Tier::Operate},
    {"io.procsupd.Log.Rotate", Tier::Operate},
});

template <typename T>
bool contains(const std::vector<T>& list, T value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool names(const AccessRule& rule, const varlink::Peer& peer) {
    if (rule.everyone || contains(rule.users, peer.uid) || contains(rule.groups, peer.gid)) return true;
    return std::any_of(peer.groups.begin(), peer.groups.end(), [&](gid_t gid) { return contains(rule.groups, gid); });
}

std::string word_of(Tier tier) {
    switch (tier) {
        case Tier::None: return "no";
        case Tier::Read: return "read";
        case Tier::Operate: return "operate";
        case Tier::Admin: return "admin";
    }
    return "no";
}

}  // namespace

Tier needed_for(std::string_view method) {
    for (const auto& [name, tier] : kNeeded) {
        if (name == method) return tier;
    }
    return Tier::Admin;
}

Access::Access(const DaemonSpec& spec, uid_t daemon_uid)
    : daemon_uid_(daemon_uid), admin_(spec.admin), operate_(spec.operate), read_(spec.read) {}

Tier Access::tier_of(const varlink::Peer& peer) const {
    if (peer.uid == 0 || peer.uid == daemon_uid_ || names(admin_, peer)) return Tier::Admin;
    if (names(operate_, peer)) return Tier::Operate;
    return names(read_, peer) ? Tier::Read : Tier::None;
}

bool Access::allows(const varlink::Peer& peer, Tier needed, const JobSpec* job) const {
    if (tier_of(peer) >= needed) return true;
    return job != nullptr && needed <= Tier::Operate && job->owner == peer.uid;
}

OnBehalf Access::behalf_of(const varlink::Peer& peer) const {
    if (tier_of(peer) >= Tier::Operate) return {};
    return {peer.uid};
}

std::string Access::refusal(const varlink::Peer& peer, Tier needed) {
    std::string who = needed == Tier::Admin ? "root, the supervisor's own user, and whom [access] admin names"
                                            : "root, a job's owner, and whom [access] " + word_of(needed) + " names";
    return "uid " + std::to_string(peer.uid) + " lacks " + word_of(needed) + " access, which " + who + " have";
}

}  // namespace procsup
