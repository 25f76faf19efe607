#include "conf/references.h"

#include "common/did_you_mean.h"
#include "conf/key_reader.h"

namespace procsup {

void References::add(const JobDraft& draft, const JobSpec& spec) {
    instances_[spec.name] = spec.instances;
    if (!spec.daemon_of.empty()) bonds_[spec.name] = {spec.daemon_of, draft.mark(Key::DaemonOf).place};
}

void References::check(Problems& problems) const {
    for (const auto& [job, bond] : bonds_) check_bond(job, bond, problems);
}

void References::check_bond(const std::string& job, const Bond& bond, Problems& problems) const {
    const auto parent = instances_.find(bond.parent);
    if (parent == instances_.end()) {
        std::vector<std::string_view> names;
        for (const auto& [name, instances] : instances_) names.emplace_back(name);
        problems.add(bond.place, "'daemon_of' names " + quoted(bond.parent) + ", which is no job" +
                                     did_you_mean(bond.parent, names));
    } else if (const auto circle = circle_from(job); !circle.empty()) {
        problems.add(bond.place, "'daemon_of' goes round in a circle: " + circle);
    } else if (!parent->second.empty() && parent->second != instances_.at(job)) {
        problems.add(bond.place, "'daemon_of' names " + quoted(bond.parent) +
                                     ", which has several instances: give this job the same 'instances'");
    }
}

/// "a, b, a"; empty when the parents of `job` do not lead back to it.
std::string References::circle_from(const std::string& job) const {
    std::string text = job;
    std::size_t steps = 0;
    for (auto next = bonds_.find(job); next != bonds_.end() && steps <= bonds_.size(); ++steps) {
        text += ", " + next->second.parent;
        if (next->second.parent == job) return text;
        next = bonds_.find(next->second.parent);
    }
    return {};
}

}  // namespace procsup
