#include "daemon/host/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>

#include <climits>

#include "common/raw_syscall.h"
#include "daemon/host/child_interpreter.h"
#include "daemon/host/child_limits.h"
#include "daemon/host/child_sockets.h"

namespace procsup {
namespace {

/// The child has 0 to 2 and what was laid out for it, nothing else: a copy of another
/// launch's status pipe, or of a client's connection, would keep it open for as long as this child hangs.
void leave_daemons_table(ChildPlan& plan) {
    leave_shared_table(static_cast<unsigned>(plan.status_fd) + kFdsOfAChild, plan.shares_fds);
    if (plan.keeper_socket >= 0) raw_syscall(SYS_close, plan.keeper_socket);
    constexpr unsigned kBehindStderr = 3;
    if (plan.status_fd > static_cast<int>(kBehindStderr)) {
        raw_syscall(SYS_close_range, kBehindStderr, plan.status_fd - 1, 0);
    }
}

/// The kernel keeps them sorted, as the plan has them. Those of a user with more than there is room for are counted.
bool has_groups(ChildPlan& plan) {
    const long count = raw_syscall(SYS_getgroups, 0, nullptr);
    if (count != static_cast<long>(plan.group_count)) return false;
    gid_t* const groups = reinterpret_cast<gid_t*>(plan.path_buffer);
    constexpr std::size_t kRoom = sizeof(plan.path_buffer) / sizeof(gid_t);
    if (plan.group_count > kRoom) return true;
    if (raw_syscall(SYS_getgroups, kRoom, groups) != count) return false;
    for (std::size_t i = 0; i < plan.group_count; ++i) {
        if (groups[i] != plan.groups[i]) return false;
    }
    return true;
}

Step verify_ids(ChildPlan& plan) {
    uid_t ruid = 0, euid = 0, suid = 0;
    gid_t rgid = 0, egid = 0, sgid = 0;
    raw_syscall(SYS_getresuid, &ruid, &euid, &suid);
    raw_syscall(SYS_getresgid, &rgid, &egid, &sgid);
    const bool same = has_groups(plan) && ruid == plan.uid && euid == plan.uid && suid == plan.uid &&
                      rgid == plan.gid && egid == plan.gid && sgid == plan.gid;
    return same ? Step{} : Step{SpawnStage::VerifyIds, EPERM};
}

Step change_ids(ChildPlan& plan) {
    if (!plan.change_ids) return {};
    Step step = check(SpawnStage::Groups, raw_syscall(SYS_setgroups, plan.group_count, plan.groups));
    if (!step.failed()) step = check(SpawnStage::Group, raw_syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid));
    if (!step.failed()) step = check(SpawnStage::User, raw_syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid));
    return step.failed() ? step : verify_ids(plan);
}

/// Opens what the stream names. O_NONBLOCK, taken off afterwards, so that a FIFO without a reader is an error instead of
/// a wait; O_NOCTTY so that a terminal does not become the job's.
long open_file(const ChildStream& stream) {
    const int access = stream.kind == ChildStream::Kind::Read ? O_RDONLY : O_WRONLY | O_APPEND | O_CREAT;
    const long fd = raw_syscall(SYS_openat, AT_FDCWD, stream.path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    if (fd < 0) return fd;
    const long result = raw_syscall(SYS_fcntl, fd, F_SETFL, access & ~O_CREAT);
    return result < 0 ? result : fd;
}

Step connect_stream(const ChildPlan& plan, int target) {
    constexpr SpawnStage kStages[] = {SpawnStage::Stdin, SpawnStage::Stdout, SpawnStage::Stderr};
    const ChildStream& stream = plan.streams[target];
    const SpawnStage stage = kStages[target];
    long source = stream.descriptor;
    if (stream.kind == ChildStream::Kind::Keep) return {};
    if (stream.kind != ChildStream::Kind::Descriptor) source = open_file(stream);
    if (source < 0) return Step{stage, -source};
    // dup3 rather than dup2, which newer architectures lack; the copy is not close-on-exec.
    return check(stage, raw_syscall(SYS_dup3, source, target, 0));
}

Step connect_streams(const ChildPlan& plan) {
    for (int target = 0; target < 3; ++target) {
        if (const Step step = connect_stream(plan, target); step.failed()) return step;
    }
    return {};
}

Step connect_ready(ChildPlan& plan) {
    if (plan.socket_count > 0) return take_sockets(plan);
    if (plan.ready_source < 0) return {};
    return check(SpawnStage::ReadyChannel, raw_syscall(SYS_dup3, plan.ready_source, plan.ready_target, 0));
}

/// As execvp(3), but without its shell for files without an interpreter line.
long exec_searched(ChildPlan& plan) {
    const char* name = plan.argv[0];
    long result = -ENOENT;
    const char* entry = plan.search_path;
    while (entry != nullptr && *entry != '\0') {
        std::size_t length = 0;
        while (entry[length] != '\0' && entry[length] != ':') ++length;
        std::size_t used = 0;
        for (; used < length && used < sizeof(plan.path_buffer) - 2; ++used) plan.path_buffer[used] = entry[used];
        plan.path_buffer[used++] = '/';
        std::size_t i = 0;
        while (name[i] != '\0' && used < sizeof(plan.path_buffer) - 1) plan.path_buffer[used++] = name[i++];
        plan.path_buffer[used] = '\0';
        const long tried = raw_syscall(SYS_execve, plan.path_buffer, plan.argv, plan.envp);
        if (tried != -ENOENT && tried != -ENOTDIR) result = tried;
        if (tried == -ENOENT && plan.interpreter[0] == '\0') {
            read_interpreter(plan.path_buffer, plan.interpreter, sizeof(plan.interpreter));
        }
        entry += length;
        if (*entry == ':') ++entry;
    }
    return result;
}

Step execute(ChildPlan& plan) {
    // Blocked by the daemon all along; what came meanwhile takes effect here.
    const std::uint64_t none = 0;
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
    plan.interpreter[0] = '\0';
    const long result =
        plan.program != nullptr ? raw_syscall(SYS_execve, plan.program, plan.argv, plan.envp) : exec_searched(plan);
    if (plan.program != nullptr && result == -ENOENT) {
        read_interpreter(plan.program, plan.interpreter, sizeof(plan.interpreter));
    }
    return Step{SpawnStage::Exec, -result};
}

/// Priority, limits and ids first, then whatever touches a file: it happens with the job's own rights, so that no path in
/// a directory of the job's user leads the daemon's rights astray. Only mounts need the daemon's.
Step prepare(ChildPlan& plan) {
    Step step = check(SpawnStage::Session, raw_syscall(SYS_setsid));
    if (!step.failed()) step = set_oom_score(plan);
    if (!step.failed()) step = set_priorities(plan);
    if (!step.failed()) step = set_limits(plan);
    if (!step.failed()) step = set_apart(plan.sandbox, plan.path_buffer);
    if (plan.sandbox.refused) plan.unmet |= 1u << kUnmetSandbox;
    if (!step.failed()) step = limit_capabilities(plan.rights);
    if (!step.failed()) step = change_ids(plan);
    if (!step.failed()) step = settle_rights(plan.rights);
    if (!step.failed()) step = restrict_writing(plan.sandbox);
    raw_syscall(SYS_umask, plan.umask);
    if (!step.failed()) step = connect_streams(plan);
    if (!step.failed()) step = connect_ready(plan);
    if (!step.failed()) step = check(SpawnStage::WorkingDir, raw_syscall(SYS_chdir, plan.working_dir));
    if (!step.failed()) step = set_open_files(plan);
    return step;
}

/// The last step: nothing behind it but exec has to be let through. SPEC_ALLOW, because older kernels otherwise slow down
/// whatever has a filter; this one is no sandbox.
Step forbid_new_processes(const ChildPlan& plan) {
    if (plan.fork_filter == nullptr) return {};
    return check(SpawnStage::Filter,
                 raw_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, plan.fork_filter));
}

void tell_unmet(const ChildPlan& plan) {
    if (plan.unmet == 0) return;
    const ChildFailure unmet{SpawnStage::None, 0, static_cast<int>(plan.unmet)};
    raw_syscall(SYS_write, plan.own_status_fd, &unmet, sizeof(unmet));
}

}  // namespace

void clear(std::atomic<std::uint32_t>& shares_fds) {
    shares_fds.store(0, std::memory_order_release);
    raw_syscall(SYS_futex, &shares_fds, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void leave_shared_table(unsigned first_foreign, std::atomic<std::uint32_t>& shares_fds) {
    // What lies behind is not even copied (close_range(2)).
    if (raw_syscall(SYS_close_range, first_foreign, UINT_MAX, CLOSE_RANGE_UNSHARE) < 0) {
        raw_syscall(SYS_unshare, CLONE_FILES);
    }
    clear(shares_fds);
}

int child_main(void* argument) {
    ChildPlan& plan = *static_cast<ChildPlan*>(argument);
    Step step = join_mounts(plan.sandbox);
    leave_daemons_table(plan);
    if (!step.failed()) step = prepare(plan);
    if (!step.failed()) step = forbid_new_processes(plan);
    if (!step.failed()) tell_unmet(plan);
    if (!step.failed()) step = execute(plan);
    ChildFailure failure{step.stage, static_cast<int>(step.error), step.resource, step.path};
    if (step.stage == SpawnStage::Exec && step.error == ENOENT) {
        for (std::size_t i = 0; i < sizeof(plan.interpreter); ++i) failure.interpreter[i] = plan.interpreter[i];
    }
    raw_syscall(SYS_write, plan.own_status_fd, &failure, sizeof(failure));
    return 127;
}

}  // namespace procsup
