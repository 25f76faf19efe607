#pragma once

#include <signal.h>
#include <time.h>

#include <cstdint>

#include "common/raw_syscall.h"

namespace procsup::init {

inline constexpr std::uint64_t kAllSignals = ~std::uint64_t{0};

constexpr std::uint64_t bit(int signal) { return std::uint64_t{1} << (signal - 1); }

/// As the kernel has it, which is not as the C library shows it.
struct KernelAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    std::uint64_t mask;
};

/// SIG_DFL or SIG_IGN; returns what it was.
inline void (*set_disposition(int signal, void (*disposition)(int)))(int) {
    const KernelAction wanted{disposition, 0, nullptr, 0};
    KernelAction before{};
    raw_syscall(SYS_rt_sigaction, signal, &wanted, &before, sizeof(wanted.mask));
    return before.handler;
}

/// Takes one of the blocked signals in `set` that is pending, or waits for one: for ever without `timeout`. False: there was none.
inline bool take_signal(std::uint64_t set, siginfo_t& signal, const timespec* timeout) {
    return raw_syscall(SYS_rt_sigtimedwait, &set, &signal, timeout, sizeof(set)) > 0;
}

}  // namespace procsup::init
