// chain FIFO DEPTH [stay|go]
//
// Becomes a chain of DEPTH processes, each the child of the one before; the last says when it is there. Then it stays, or
// its first process goes while the chain still grows.

#include <string.h>

#include "hostile.h"

int main(int argc, char** argv) {
    if (argc < 3) {
        fputs("usage: chain FIFO DEPTH [stay|go]\n", stderr);
        return 2;
    }
    const int deepest = atoi(argv[2]) < 1000 ? atoi(argv[2]) : 1000;
    const int go = argc > 3 && strcmp(argv[3], "go") == 0;
    bound_life();
    int depth = 1;
    pid_t next = 0;
    while (depth < deepest && (next = bounded_fork()) == 0) ++depth;
    if (next < 0) return 2;
    if (depth == deepest) say_up(argv[1]);
    if (depth == 1 && go) return 0;
    for (;;) pause();
}
