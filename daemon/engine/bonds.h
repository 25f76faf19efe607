#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/engine/instance.h"

namespace procsup {

/// Which instance's life bounds which: daemon children and the instances they are bound to. Knows no rules but who is bound
/// to whom.
class Bonds {
public:
    void bind(InstanceId child, InstanceId parent);
    /// An instance that is no more; its children are bound to nothing any more.
    void forget(InstanceId id);
    void clear_parent(InstanceId child);

    /// 0: none.
    InstanceId parent_of(InstanceId child) const;
    std::vector<InstanceId> children_of(InstanceId parent) const;
    bool has_children(InstanceId parent) const { return children_.contains(parent); }

private:
    std::map<InstanceId, InstanceId> parents_;
    std::map<InstanceId, std::set<InstanceId>> children_;
};

}  // namespace procsup
