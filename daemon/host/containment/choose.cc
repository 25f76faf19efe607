#include <signal.h>

#include "daemon/host/containment/cgroups.h"
#include "daemon/host/containment/process_groups.h"

namespace procsup {

bool needs_continue(int signal) {
    return signal != SIGCONT && signal != SIGSTOP && signal != SIGTSTP && signal != SIGKILL;
}

Result<ChosenContainment> choose_containment(ContainmentMode wanted, std::string_view name, EventLoop& loop,
                                             std::function<void()> changed) {
    ChosenContainment chosen;
    if (wanted == ContainmentMode::Group) {
        chosen.containment = contain_by_process_groups(loop, std::move(changed));
        chosen.reason = "asked for";
        return chosen;
    }
    auto groups = contain_by_cgroups(name, loop, changed);
    if (groups) {
        chosen.containment = std::move(*groups);
        chosen.reason = wanted == ContainmentMode::Cgroup ? "asked for" : "the best there is, and permitted here";
        return chosen;
    }
    if (wanted == ContainmentMode::Cgroup) {
        return Error{"cannot hold jobs in cgroups (containment = \"cgroup\"): " + groups.error().message,
                     groups.error().os_error};
    }
    chosen.containment = contain_by_process_groups(loop, std::move(changed));
    chosen.reason = "no cgroups: " + groups.error().message;
    return chosen;
}

}  // namespace procsup
