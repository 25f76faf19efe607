// kill_around FIFO COUNT group|all
//
// Starts COUNT children in sessions of their own, and when all are there
//   group  kills its own process group, and with it the main process;
//   all    kills every process that it may but one, which is in a session of its own and stays. Only as another user than
//          root in a PID namespace of its own.

#include <string.h>

#include "hostile.h"

/// What makes `count` processes of its own sessions, which close `ready` when they are there.
static void start_children(const char* fifo, int count, int ready) {
    for (int i = 0; i < count; ++i) {
        const pid_t child = bounded_fork();
        if (child < 0) exit(2);
        if (child != 0) continue;
        setsid();
        say_up(fifo);
        close(ready);
        for (;;) pause();
    }
}

int main(int argc, char** argv) {
    int ready[2];
    char nothing;
    if (argc != 4 || pipe(ready) < 0) {
        fputs("usage: kill_around FIFO COUNT group|all\n", stderr);
        return 2;
    }
    const int all = strcmp(argv[3], "all") == 0;
    const int count = atoi(argv[2]) < 100 ? atoi(argv[2]) : 100;
    if (all) insist_on_confinement();
    bound_life();
    start_children(argv[1], count, ready[1]);
    close(ready[1]);
    if (read(ready[0], &nothing, 1) != 0) return 2;
    if (!all) return kill(0, SIGKILL);
    if (bounded_fork() == 0) {
        setsid();
        if (bounded_fork() != 0) _exit(0);
        kill(-1, SIGKILL);
    }
    for (;;) pause();
}
