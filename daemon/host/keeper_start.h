#pragma once

#include <atomic>
#include <cstdint>

#include "daemon/host/child.h"

namespace procsup {

/// What a process needs that becomes a keeper (daemon/keeper/protocol.h) and makes the main process before that. Laid out
/// before it is cloned; it shares the daemon's memory until it executes, as every child does.
struct KeeperPlan {
    ChildPlan* child;   ///< of the main process
    void* child_stack;  ///< of the main process, kStackSize bytes
    std::uint64_t child_stack_size;
    const char* program;  ///< absolute
    const char* instance;
    int socket_fd;  ///< becomes keeper::kSocketFd
    int lock_fd;    ///< becomes keeper::kLockFd; -1: none
    int null_fd;    ///< becomes 0, 1 and 2
    bool drop_realtime;

    std::atomic<pid_t> main_pid;            ///< 0 until the main process exists; set by the kernel
    std::atomic<std::uint32_t> shares_fds;  ///< as ChildPlan::shares_fds; once 0, main_pid is final
    char pid_text[16];
};
static_assert(std::is_trivially_destructible_v<KeeperPlan> && std::is_standard_layout_v<KeeperPlan>);
static_assert(sizeof(std::atomic<pid_t>) == sizeof(pid_t), "the kernel writes it");

/// The keeper's whole life before its program; `plan` is a KeeperPlan. Returns the exit code after a failure.
int keeper_main(void* plan);

}  // namespace procsup
