// Groups of jobs, when all jobs are known.
#include <algorithm>

#include "conf/key_reader.h"
#include "conf/order.h"
#include "conf/references.h"

namespace procsup {

void References::add_group(const std::string& name, GroupDraft draft) { groups_[name] = std::move(draft); }

void References::check_groups(Order& order, Problems& problems) const {
    std::map<std::string_view, const std::string*> group_of;
    for (const auto& [name, group] : groups_) {
        if (jobs_.contains(name)) {
            problems.add(group.place,
                         "a job is called " + quoted(name) + " too: a group and a job need different names");
        }
        if (group.members.empty() && !group.refused) {
            problems.add(group.place, "group " + quoted(name) + " has no members: write members = [\"…\"]");
        }
        const Job* before = nullptr;
        for (std::size_t i = 0; i < group.members.size(); ++i) {
            const auto& member = group.members[i];
            const auto* job = find("members", {member, group.places[i]}, problems);
            if (job == nullptr) continue;
            const auto [known, added] = group_of.emplace(member, &name);
            if (!added) {
                problems.add(group.places[i], "'members' names " + quoted(member) + ", which is in the group " +
                                                  quoted(*known->second) + " already: a job is in one group at most");
            }
            if (before != nullptr && group.settings.is_ordered()) {
                order.add(job->number, before->number, "members", group.places[i]);
            }
            before = job;
        }
        const bool never = group.settings.intensity.count == 0 && !group.settings.is_ordered();
        if (never && group.on_exhausted.file != nullptr) {
            problems.add(group.on_exhausted, "'on_exhausted' never takes effect: intensity = \"none\"");
        }
    }
}

void References::join_groups(std::vector<JobSpec>& jobs) const {
    std::map<std::string_view, Membership> memberships;
    for (const auto& [name, group] : groups_) {
        for (std::uint32_t i = 0; i < group.members.size(); ++i) {
            auto& membership = memberships[group.members[i]] = group.settings;
            membership.group = name;
            membership.position = i;
        }
    }
    if (memberships.empty()) return;
    for (auto& job : jobs) {
        if (const auto found = memberships.find(job.name); found != memberships.end()) job.membership = found->second;
    }
}

}  // namespace procsup
