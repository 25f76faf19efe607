#include "daemon/host/keeper_start.h"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <climits>

#include "common/raw_syscall.h"
#include "daemon/keeper/protocol.h"

namespace procsup {
namespace {

/// The main process is a child of the keeper from the start, so nothing has to be handed over.
long create_main(KeeperPlan& plan) {
    ChildPlan& child = *plan.child;
    clone_args args{};
    args.flags = CLONE_PARENT_SETTID;
    if (!child.own_memory) args.flags |= CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID;
    args.child_tid = reinterpret_cast<std::uint64_t>(&child.shares_fds);
    args.parent_tid = reinterpret_cast<std::uint64_t>(&plan.main_pid);
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uint64_t>(plan.child_stack);
    args.stack_size = plan.child_stack_size;
    const long pid = procsup_clone3(&args, sizeof(args), child_main, &child);
    if (child.own_memory) clear(child.shares_fds);
    return pid;
}

void write_number(char* text, unsigned number) {
    char digits[12];
    int count = 0;
    do {
        digits[count++] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0) *text++ = digits[--count];
    *text = '\0';
}

/// Nothing but what the keeper is promised, and the status pipe, which its exec closes.
void lay_out_fds(const KeeperPlan& plan) {
    for (int fd = 0; fd < 3; ++fd) raw_syscall(SYS_dup3, plan.null_fd, fd, 0);
    raw_syscall(SYS_dup3, plan.socket_fd, keeper::kSocketFd, 0);
    if (plan.lock_fd >= 0) raw_syscall(SYS_dup3, plan.lock_fd, keeper::kLockFd, 0);
    const unsigned status = static_cast<unsigned>(plan.child->status_fd);
    raw_syscall(SYS_close_range, static_cast<unsigned>(keeper::kLockFd) + 1, status - 1, 0);
    raw_syscall(SYS_close_range, status + 1, UINT_MAX, 0);
}

long execute(KeeperPlan& plan) {
    write_number(plan.pid_text, static_cast<unsigned>(plan.main_pid.load(std::memory_order_relaxed)));
    const char* const argv[] = {"procsup-keeper", plan.instance, plan.pid_text, nullptr};
    const char* const envp[] = {nullptr};
    return raw_syscall(SYS_execve, plan.program, argv, envp);
}

}  // namespace

int keeper_main(void* argument) {
    KeeperPlan& plan = *static_cast<KeeperPlan*>(argument);
    // Before there is a child: one that dies at once leaves its own to the keeper.
    long result = raw_syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (result == 0) result = create_main(plan);
    leave_shared_table(static_cast<unsigned>(plan.child->status_fd) + kFdsOfAChild, plan.shares_fds);
    if (result > 0) {
        raw_syscall(SYS_setsid);
        if (plan.drop_realtime) {
            const sched_param none{};
            raw_syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
            raw_syscall(SYS_prctl, PR_SET_TIMERSLACK, plan.child->timer_slack, 0, 0, 0);
        }
        raw_syscall(SYS_chdir, "/");
        lay_out_fds(plan);
        result = execute(plan);
        raw_syscall(SYS_kill, plan.main_pid.load(std::memory_order_relaxed), SIGKILL);
    }
    const ChildFailure failure{SpawnStage::Keeper, static_cast<int>(-result)};
    raw_syscall(SYS_write, plan.child->status_fd, &failure, sizeof(failure));
    return 127;
}

}  // namespace procsup
