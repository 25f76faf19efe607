// zombies FIFO COUNT
//
// Has COUNT children that have ended, never collects them, and lives on.

#include <sys/wait.h>

#include "hostile.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        fputs("usage: zombies FIFO COUNT\n", stderr);
        return 2;
    }
    const int count = atoi(argv[2]) < 1000 ? atoi(argv[2]) : 1000;
    bound_life();
    for (int i = 0; i < count; ++i) {
        siginfo_t end;
        const pid_t child = fork();
        if (child == 0) _exit(0);
        if (child < 0 || waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT) < 0) return 2;
    }
    say_up(argv[1]);
    for (;;) pause();
}
