#include <cerrno>
#include <cstring>

#include "common/raw_syscall.h"
#include "daemon/host/child.h"
#include "daemon/host/containment/cgroups.h"
#include "daemon/host/containment/keepers.h"
#include "daemon/host/containment/process_groups.h"
#include "daemon/host/own_programs.h"

namespace procsup {
namespace {

/// Groups are entered, and keepers put between, by clone3(2), which old container run-times refuse.
Result<void> check_clone3() {
    const long result = PROCSUP_HAS_CLONE3 ? raw_syscall(SYS_clone3, nullptr, 0) : -ENOSYS;
    if (result == -EINVAL) return {};
    return os_failure("use clone3", static_cast<int>(-result));
}

}  // namespace

Result<ChosenContainment> choose_containment(ContainmentMode wanted, const ContainmentPlace& place, EventLoop& loop,
                                             TreeObserver& observer) {
    using Mode = ContainmentMode;
    const auto refused = [](const char* mode, const Error& why) {
        return Error{std::string("cannot hold jobs together by containment = \"") + mode + "\": " + why.message,
                     why.os_error};
    };
    ChosenContainment chosen;
    chosen.reason = wanted == Mode::Auto ? "the best there is" : "asked for";
    std::string no_cgroups = std::string("containment = \"") + (wanted == Mode::Group ? "group" : "keeper") + "\"";
    const auto clone3 = wanted == Mode::Group ? Result<void>() : check_clone3();
    if (wanted == Mode::Auto || wanted == Mode::Cgroup) {
        auto groups = clone3 ? contain_by_cgroups(place, loop, observer) : clone3.error();
        if (groups) {
            chosen.containment = std::move(*groups);
            return chosen;
        }
        if (wanted == Mode::Cgroup) return refused("cgroup", groups.error());
        no_cgroups = groups.error().message;
        chosen.reason = "no cgroups: " + no_cgroups;
    }
    if (wanted == Mode::Auto || wanted == Mode::Keeper) {
        const auto program = find_own_program("procsup-keeper");
        if (clone3 && !program.empty()) {
            chosen.containment = contain_by_keepers(program, no_cgroups, loop, observer);
            return chosen;
        }
        const auto why = clone3 ? Error{"procsup-keeper is not installed"} : clone3.error();
        if (wanted == Mode::Keeper) return refused("keeper", why);
        chosen.reason += "; no keepers: " + why.message;
    }
    chosen.containment = contain_by_process_groups(no_cgroups, loop, observer);
    return chosen;
}

}  // namespace procsup
