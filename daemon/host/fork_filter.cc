#include "daemon/host/fork_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "common/fd.h"

namespace procsup {
namespace {

struct Release {
    void operator()(void* rules) const { seccomp_release(rules); }
};
using Rules = std::unique_ptr<void, Release>;

/// clone(2) has its flags there; s390 has the stack in front.
#if defined(__s390__)
constexpr unsigned kCloneFlags = 1;
#else
constexpr unsigned kCloneFlags = 0;
#endif

/// 0, or -errno. The ABIs of a machine number their calls each in its own way: a filter that knew one of them only would
/// let the others make processes.
int add_abis(scmp_filter_ctx rules) {
#if defined(__x86_64__)
    constexpr std::uint32_t kOthers[] = {SCMP_ARCH_X86, SCMP_ARCH_X32};
#elif defined(__aarch64__)
    constexpr std::uint32_t kOthers[] = {SCMP_ARCH_ARM};
#else
    constexpr std::uint32_t kOthers[] = {SCMP_ARCH_NATIVE};
#endif
    int error = 0;
    for (const auto abi : kOthers) {
        if (error == 0) error = seccomp_arch_add(rules, abi);
        if (error == -EEXIST) error = 0;
    }
    // To an ABI that is not known here every call is one that does not exist; the library's default is to kill.
    if (error == 0) error = seccomp_attr_set(rules, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    return error;
}

/// 0, or -errno. A call that an ABI lacks has no rule there.
int add_rules(scmp_filter_ctx rules) {
    int error = add_abis(rules);
    if (error == 0) error = seccomp_rule_add(rules, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fork), 0);
    if (error == 0) error = seccomp_rule_add(rules, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(vfork), 0);
    if (error == 0) {
        error = seccomp_rule_add(rules, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                 SCMP_CMP64(kCloneFlags, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    }
    // Its flags are in memory, which no filter sees. Who is told that there is none makes threads by clone.
    if (error == 0) error = seccomp_rule_add(rules, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return error;
}

/// 0, or -errno. The library writes to descriptors only.
int export_rules(scmp_filter_ctx rules, std::vector<sock_filter>& instructions) {
    const Fd file(memfd_create("procsupd-filter", MFD_CLOEXEC));
    if (!file) return -errno;
    if (const int error = seccomp_export_bpf(rules, file.get()); error != 0) return error;
    struct stat status {};
    if (fstat(file.get(), &status) < 0) return -errno;
    instructions.resize(static_cast<std::size_t>(status.st_size) / sizeof(sock_filter));
    const ssize_t size = pread(file.get(), instructions.data(), instructions.size() * sizeof(sock_filter), 0);
    return size > 0 && size == status.st_size ? 0 : -EIO;
}

}  // namespace

Result<const sock_fprog*> ForkFilter::program() {
    if (program_.filter == nullptr) {
        const Rules rules(seccomp_init(SCMP_ACT_ALLOW));
        int error = rules ? add_rules(rules.get()) : -ENOMEM;
        if (error == 0) error = export_rules(rules.get(), instructions_);
        if (error != 0) return os_failure("make the filter for may_fork = false", -error);
        program_ = {static_cast<unsigned short>(instructions_.size()), instructions_.data()};
    }
    return &program_;
}

}  // namespace procsup
