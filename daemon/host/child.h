#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "conf/resource_limits.h"
#include "daemon/engine/ports.h"
#include "daemon/host/child_rights.h"
#include "daemon/host/child_sandbox.h"
#include "daemon/host/listen_pid.h"

struct sock_fprog;

/// What runs between clone and exec. The child shares the daemon's memory (unless the plan says that it has its own) and, at first, its
/// descriptor table, so it calls nothing but the kernel: no allocation, no errno, no logging, no library.
namespace procsup {

/// Where one standard stream of the child comes from.
struct ChildStream {
    enum class Kind : std::uint8_t { Keep, Descriptor, Read, Append };
    Kind kind = Kind::Keep;
    int descriptor = -1;         ///< of Descriptor; below kFirstKeptFd
    const char* path = nullptr;  ///< of Read and Append
};

/// Everything the child needs, laid out before the clone; all pointers stay valid until the child has executed or ended.
// Of a longer name the beginning is told.
inline constexpr std::size_t kInterpreterSize = 256;

struct ChildPlan {
    const char* program;      ///< absolute, or nullptr: argv[0] is searched in search_path
    const char* search_path;  ///< value of PATH
    char* const* argv;
    char* const* envp;
    const char* working_dir;
    mode_t umask;

    bool change_ids;
    uid_t uid;
    gid_t gid;
    const gid_t* groups;
    std::size_t group_count;

    ChildStream streams[3];
    int ready_source;  ///< end of a pipe that becomes ready_target, below kFirstKeptFd; -1: none
    int ready_target;  ///< below all reserved ones; -1: only sockets come
    /// When there are any, ready_source is a socket, and they come in a message over it: reserved there are too few descriptors.
    std::size_t socket_count;
    char listen_pid[kListenPidSize];  ///< of which only the child knows the number

    struct Limit {
        int resource;
        rlimit value;
    };
    Limit limits[kResourceLimits.size()];
    std::size_t limit_count;
    rlimit open_files;  ///< what a job gets that does not say: not the daemon's own, which is raised
    bool strict_limits;
    bool drop_realtime;         ///< the daemon's own priority (realtime.h) is not for its jobs
    unsigned long timer_slack;  ///< what it has without that priority, in nanoseconds
    int policy;                 ///< SCHED_…; -1: none is set
    int realtime_priority;
    bool set_nice;
    int nice;
    int io_priority;        ///< of ioprio_set(2); -1: none is set
    std::size_t cpu_words;  ///< of `cpus`; 0: they are not set
    std::uint64_t cpus[kMostCpus / 64];
    std::uint64_t cpus_given[kMostCpus / 64];  ///< what the kernel made of them
    char oom_score[8];                         ///< for /proc/self/oom_score_adj; needs memory of its own
    std::size_t oom_score_length;              ///< 0: it stays as it is
    /// A copy of the daemon's memory instead of the same. The kernel gives all that share memory the same score, and kills
    /// them together when one of them may have no more (proc(5), cgroups(7)).
    bool own_memory;
    /// Noted by the child: what was refused and is not as set, a bit by RLIMIT_… or Unmet.
    std::uint32_t unmet;

    ChildRights rights;
    ChildSandbox sandbox;
    const sock_fprog* fork_filter;  ///< of ForkFilter; nullptr: the job may fork
    int keeper_socket;              ///< of KeeperPlan; -1: none
    int status_fd;                  ///< end of the status pipe, close-on-exec; below kFirstKeptFd
    int own_status_fd;              ///< of the child: the same, until sockets take its place
    /// 1 until the child has its own descriptor table; the kernel clears it too when the child ends
    /// (CLONE_CHILD_CLEARTID), so waiting for it always ends.
    std::atomic<std::uint32_t> shares_fds;

    alignas(8) char path_buffer[4096];
    char interpreter[kInterpreterSize];  ///< noted by the child, as in ChildFailure
};
static_assert(std::is_trivially_destructible_v<ChildPlan> && std::is_standard_layout_v<ChildPlan>);

/// The status pipe, and behind it what may become 0, 1 and 2, the pipe for readiness, and the keeper's socket.
inline constexpr unsigned kFdsOfAChild = 6;

/// Jobs can be given descriptors below it (conf/keys.cc, ready.fd).
inline constexpr int kFirstReservedFd = 8;

/// Bits of ChildPlan::unmet beyond those of resource limits.
enum Unmet : unsigned {
    kUnmetScheduling = 16,
    kUnmetNice,
    kUnmetIoPriority,
    kUnmetCpuAffinity,
    kUnmetOomScore,
    kUnmetSandbox
};
static_assert(int{RLIM_NLIMITS} <= int{kUnmetScheduling});

/// What the child writes to status_fd when a step fails. When it executes its program: nothing, or, at stage None, ChildPlan::unmet.
struct ChildFailure {
    SpawnStage stage;
    int os_error;
    int resource = -1;           ///< of stage Limits: RLIMIT_…; of None: unmet
    const char* path = nullptr;  ///< of ReadOnlyPath and ReadWritePath: in the plan
    /// Of stage Exec: the program is there, and names this as what it is to be run by, which is not; else empty.
    char interpreter[kInterpreterSize] = {};
};

/// The system call clone3(2) for a child that runs `fn` on a stack of its own; the pid, or -errno (clone3.S). Where there is
/// none of it for a machine, nothing but plain forks are made.
#if defined(__x86_64__) || defined(__aarch64__)
#define PROCSUP_HAS_CLONE3 1
#else
#define PROCSUP_HAS_CLONE3 0
#endif
extern "C" long procsup_clone3(void* args, std::size_t size, int (*fn)(void*), void* arg);

/// Stores 0 and wakes who waits for that.
void clear(std::atomic<std::uint32_t>& shares_fds);

/// Gives a child that shares the daemon's descriptor table one of its own, with nothing in it from `first_foreign` on; then
/// clears `shares_fds` and wakes who waits for it.
void leave_shared_table(unsigned first_foreign, std::atomic<std::uint32_t>& shares_fds);

/// The child's whole life before its program; `plan` is a ChildPlan. Returns the exit code after a failure.
int child_main(void* plan);

}  // namespace procsup
