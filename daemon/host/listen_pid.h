#pragma once

#include <cstddef>

/// The variable by which sd_listen_fds(3) knows whose descriptors they are. For those who call nothing but the kernel.
namespace procsup {

inline constexpr char kListenPid[] = "LISTEN_PID=";
inline constexpr std::size_t kListenPidSize = sizeof(kListenPid) + 20;

/// "LISTEN_PID=PID"
inline void write_listen_pid(char (&text)[kListenPidSize], long pid) {
    char digits[20];
    std::size_t count = 0, used = 0;
    do {
        digits[count++] = static_cast<char>('0' + pid % 10);
        pid /= 10;
    } while (pid > 0);
    for (; kListenPid[used] != '\0'; ++used) text[used] = kListenPid[used];
    while (count > 0) text[used++] = digits[--count];
    text[used] = '\0';
}

}  // namespace procsup
