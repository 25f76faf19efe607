#include <signal.h>

#include <cstdint>

#include "common/raw_syscall.h"
#include "daemon/keeper/keeper.h"
#include "daemon/keeper/process.h"

extern "C" void procsup_keeper_restore();

namespace procsup::keeper {
namespace {

/// As the kernel has it, which is not as the C library shows it.
struct KernelAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    std::uint64_t mask;
};

void on_child(int) {}

/// Without a handler SIGCHLD would not end ppoll(2).
bool let_children_wake() {
    KernelAction action{on_child, SA_NOCLDSTOP, nullptr, 0};
#if defined(__x86_64__)
    constexpr unsigned long kHasRestorer = 0x04000000;
    action.flags |= kHasRestorer;
    action.restorer = procsup_keeper_restore;
#endif
    return raw_syscall(SYS_rt_sigaction, SIGCHLD, &action, nullptr, sizeof(action.mask)) == 0;
}

}  // namespace
}  // namespace procsup::keeper

extern "C" int main(int argc, char** argv) {
    using namespace procsup;
    using namespace procsup::keeper;
    const pid_t main_process = argc == 3 ? parse_pid(argv[2]) : 0;
    const std::uint64_t all = ~std::uint64_t{0};
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof(all));
    if (main_process <= 0 || !let_children_wake()) return kNotStarted;
    return Keeper(static_cast<pid_t>(raw_syscall(SYS_getpid)), main_process).run();
}
