#include "daemon/engine/bonds.h"

namespace procsup {

void Bonds::bind(InstanceId child, InstanceId parent) {
    clear_parent(child);
    parents_[child] = parent;
    children_[parent].insert(child);
}

void Bonds::clear_parent(InstanceId child) {
    const auto bond = parents_.find(child);
    if (bond == parents_.end()) return;
    const auto siblings = children_.find(bond->second);
    siblings->second.erase(child);
    if (siblings->second.empty()) children_.erase(siblings);
    parents_.erase(bond);
}

void Bonds::forget(InstanceId id) {
    clear_parent(id);
    for (const auto child : children_of(id)) clear_parent(child);
}

InstanceId Bonds::parent_of(InstanceId child) const {
    const auto bond = parents_.find(child);
    return bond == parents_.end() ? 0 : bond->second;
}

std::vector<InstanceId> Bonds::children_of(InstanceId parent) const {
    const auto found = children_.find(parent);
    if (found == children_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

}  // namespace procsup
