#pragma once

#include <sys/syscall.h>

#include <unistd.h>
#include <cerrno>

namespace procsup {

/// A system call that returns -errno instead of setting errno: errno is thread-local storage, which a child that shares
/// memory with the daemon shares too.
template <typename... Args>
inline long raw_syscall(long number, Args... args) {
#if defined(__x86_64__)
    long values[6] = {(long)args...};
    long result;
    register long r10 asm("r10") = values[3];
    register long r8 asm("r8") = values[4];
    register long r9 asm("r9") = values[5];
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(values[0]), "S"(values[1]), "d"(values[2]), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    long values[6] = {(long)args...};
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = values[0];
    register long x1 asm("x1") = values[1];
    register long x2 asm("x2") = values[2];
    register long x3 asm("x3") = values[3];
    register long x4 asm("x4") = values[4];
    register long x5 asm("x5") = values[5];
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
    // Elsewhere the child is a plain fork with an errno of its own.
    const long result = ::syscall(number, args...);
    return result == -1 ? -errno : result;
#endif
}

}  // namespace procsup
