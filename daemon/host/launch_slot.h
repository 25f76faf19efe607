#pragma once

#include <sys/mman.h>

#include "daemon/host/keeper_start.h"
#include "daemon/host/launch_text.h"
#include "daemon/host/spawner.h"

namespace procsup {

/// One launch under way: the stack the child runs on, the plan it reads, and the pipe that tells what became of it.
struct Spawner::Slot {
    static constexpr std::size_t kStackSize = 32768;
    /// nullptr: there is no memory.
    static void* map_stack();

    Incarnation incarnation = 0;  ///< 0: free
    pid_t pid = 0;
    TimePoint begun;
    void* stack = nullptr;
    void* keeper_stack = nullptr;  ///< once it was needed
    bool kept = false;             ///< there is a keeper
    bool created_told = false;
    int low_group = -1;
    bool passes_fds = false;
    bool failure_told = false;  ///< and its process has not been collected yet
    Fd status;
    std::unique_ptr<Watch> watch;
    LaunchText text;
    SandboxLayout sandbox;
    ChildPlan plan{};
    KeeperPlan keeper{};

    ~Slot() {
        if (stack != nullptr) munmap(stack, kStackSize);
        if (keeper_stack != nullptr) munmap(keeper_stack, kStackSize);
    }
};

}  // namespace procsup
