#include "daemon/control/instance_usage.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace procsup {

void with_usages(const ControlContext& context, const varlink::PendingCall& call, const std::vector<InstanceId>& ids,
                 std::function<void(const Usages&)> then) {
    if (ids.size() > kMostMeasured) return then({});
    std::vector<const Instance*> instances;
    for (const auto id : ids) instances.push_back(context.supervisor.find(id));
    const bool may = std::all_of(instances.begin(), instances.end(), [&](const Instance* instance) {
        return context.access.allows(call.peer(), Tier::Operate, &instance->spec());
    });
    constexpr Duration kPatience = std::chrono::seconds(1);
    context.host.measure(instances, may ? kPatience : Duration::zero(),
                         [then = std::move(then)](const std::vector<InstanceUsage>& measured, const Result<void>&) {
                             Usages usages;
                             for (const auto& one : measured) usages.emplace(one.id, one.usage);
                             then(usages);
                         });
}

}  // namespace procsup
