// fork_storm FIFO grow|hop
//
// Forks for ever, within RLIMIT_NPROC, which must be 300 at most; only as another user than root in a PID namespace of its
// own. It
//   grow  fills what the limit allows, and takes at once the place of what is killed;
//   hop   is 8 processes that each live on in a child, in a session of its own, and end: a pid is old before it is read.

#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "hostile.h"

enum { HOPPERS = 8, MOST_PROCESSES = 300 };

static void grow(void) {
    for (;;) {
        if (bounded_fork() < 0) sched_yield();
    }
}

static void hop(void) {
    for (;;) {
        const pid_t next = bounded_fork();
        if (next > 0) _exit(0);
        if (next == 0) setsid();
        if (next < 0) sched_yield();
    }
}

int main(int argc, char** argv) {
    struct rlimit limit;
    if (argc != 3 || getrlimit(RLIMIT_NPROC, &limit) < 0 || limit.rlim_max > MOST_PROCESSES) {
        fputs("usage: fork_storm FIFO grow|hop, with RLIMIT_NPROC at 300 or less\n", stderr);
        return 2;
    }
    insist_on_confinement();
    if (nice(19) < 0) return 2;
    bound_life();
    say_up(argv[1]);
    if (strcmp(argv[2], "grow") == 0) grow();
    for (int i = 0; i < HOPPERS; ++i) {
        if (bounded_fork() == 0) hop();
    }
    for (;;) pause();
}
