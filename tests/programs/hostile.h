// What the hostile programs share: an end of their own, whatever happens, and a word to the test.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LIFETIME = 60 };

/// This process is killed when the time of the whole tree is over, also when it is deaf, stopped or traced. Timers are not
/// inherited, the time when they end is.
static inline void bound_life(void) {
    static struct itimerspec end;
    if (end.it_value.tv_sec == 0) {
        clock_gettime(CLOCK_MONOTONIC, &end.it_value);
        end.it_value.tv_sec += LIFETIME;
    }
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 || timer_settime(timer, TIMER_ABSTIME, &end, NULL) < 0) {
        _exit(2);
    }
}

static inline pid_t bounded_fork(void) {
    const pid_t pid = fork();
    if (pid == 0) bound_life();
    return pid;
}

/// One line for each process that is as hostile as it gets.
static inline void say_up(const char* fifo) {
    const int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "up\n", 3) != 3) _exit(2);
    close(fd);
}

/// Ends a program that would do harm to what is not its own: it must run as a user that is not root, in a PID namespace
/// other than the machine's first (whose inode is PROC_PID_INIT_INO).
static inline void insist_on_confinement(void) {
    struct stat space;
    if (geteuid() != 0 && getuid() != 0 && stat("/proc/self/ns/pid", &space) == 0 && space.st_ino != 0xEFFFFFFCU)
        return;
    fputs("only in a PID namespace of its own, and not as root\n", stderr);
    exit(2);
}
