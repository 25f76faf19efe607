#include "daemon/host/child_rights.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup {
namespace {

constexpr int kMostCapabilities = 64;

struct Held {
    CapabilitySet effective, permitted, inheritable;
};

bool has(CapabilitySet set, int number) { return (set & capability_bit(number)) != 0; }

CapabilitySet both(std::uint32_t low, std::uint32_t high) { return CapabilitySet{high} << 32 | low; }

long get_held(Held& held) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    const long result = raw_syscall(SYS_capget, &header, data);
    held = {both(data[0].effective, data[1].effective), both(data[0].permitted, data[1].permitted),
            both(data[0].inheritable, data[1].inheritable)};
    return result;
}

long set_held(const Held& held) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct data[2]{
        {static_cast<std::uint32_t>(held.effective), static_cast<std::uint32_t>(held.permitted),
         static_cast<std::uint32_t>(held.inheritable)},
        {static_cast<std::uint32_t>(held.effective >> 32), static_cast<std::uint32_t>(held.permitted >> 32),
         static_cast<std::uint32_t>(held.inheritable >> 32)}};
    return raw_syscall(SYS_capset, &header, data);
}

/// 1, 0, or -EINVAL for one that the kernel does not know.
long in_bounding_set(int number) { return raw_syscall(SYS_prctl, PR_CAPBSET_READ, number, 0, 0, 0); }

long ambient_call(unsigned long what, int number) { return raw_syscall(SYS_prctl, PR_CAP_AMBIENT, what, number, 0, 0); }

Step set_capabilities(const ChildRights& rights, Held& expected) {
    const auto stage = rights.ambient != 0 ? SpawnStage::AmbientCapabilities : SpawnStage::Capabilities;
    Step step = check(stage, get_held(expected));
    if (step.failed()) return step;
    if (rights.limits_capabilities) {
        expected.permitted &= rights.capabilities;
        expected.effective &= rights.capabilities;
    }
    if (rights.ambient != 0) expected = {rights.ambient, rights.ambient, rights.ambient};
    expected.inheritable = rights.ambient;  // and with them go ambient ones (capset(2))
    step = check(stage, set_held(expected));
    if (step.failed() || rights.ambient == 0) return step;
    step = check(stage, ambient_call(PR_CAP_AMBIENT_CLEAR_ALL, 0));
    for (int number = 0; number < kMostCapabilities && !step.failed(); ++number) {
        if (has(rights.ambient, number)) step = check(stage, ambient_call(PR_CAP_AMBIENT_RAISE, number));
    }
    return step;
}

/// Nothing beyond what is left may be in a set from which exec takes, and all that is given must be there.
bool are_set(const ChildRights& rights, const Held& expected) {
    Held held{};
    if (get_held(held) < 0 || held.effective != expected.effective || held.permitted != expected.permitted ||
        held.inheritable != expected.inheritable) {
        return false;
    }
    for (int number = 0; number < kMostCapabilities; ++number) {
        const long bound = in_bounding_set(number);
        if (bound < 0) break;
        if (rights.limits_capabilities && bound != 0 && !has(rights.capabilities, number)) return false;
        const bool ambient = ambient_call(PR_CAP_AMBIENT_IS_SET, number) == 1;
        if (ambient != has(rights.ambient, number)) return false;
    }
    return true;
}

}  // namespace

bool have_inheritable_capabilities() {
    Held held{};
    return get_held(held) == 0 && held.inheritable != 0;
}

Step limit_capabilities(const ChildRights& rights) {
    if (!rights.limits_capabilities && rights.ambient == 0) return {};
    const CapabilitySet wanted = rights.ambient | (rights.limits_capabilities ? rights.capabilities : 0);
    for (int number = 0; number < kMostCapabilities; ++number) {
        const long bound = in_bounding_set(number);
        if (bound < 0 && has(wanted, number)) return {SpawnStage::KnownCapabilities, -bound};
        if (bound <= 0 || !rights.limits_capabilities || has(rights.capabilities, number)) continue;
        const Step step = check(SpawnStage::Capabilities, raw_syscall(SYS_prctl, PR_CAPBSET_DROP, number, 0, 0, 0));
        if (step.failed()) return step;
    }
    if (rights.ambient == 0) return {};
    return check(SpawnStage::AmbientCapabilities, raw_syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0));
}

Step settle_rights(const ChildRights& rights) {
    Held expected{};
    const bool capabilities = rights.limits_capabilities || rights.ambient != 0 || rights.inherits_capabilities;
    Step step;
    if (capabilities) step = set_capabilities(rights, expected);
    if (!step.failed() && rights.no_new_privileges) {
        step = check(SpawnStage::Privileges, raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        if (!step.failed() && raw_syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
            step = {SpawnStage::VerifyRights, EPERM};
        }
    }
    if (!step.failed() && capabilities && !are_set(rights, expected)) step = {SpawnStage::VerifyRights, EPERM};
    return step;
}

}  // namespace procsup
