// nest DEPTH
//
// Makes a chain of DEPTH processes below itself, each the child of the one before. The last prints "ready"; all stay.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc != 2) {
        fputs("usage: nest DEPTH\n", stderr);
        return 2;
    }
    int left = atoi(argv[1]);
    pid_t pid = 0;
    while (left > 0 && (pid = fork()) == 0) --left;
    if (pid < 0) {
        perror("fork");
        return 2;
    }
    if (left == 0) {
        puts("ready");
        fflush(stdout);
    }
    for (;;) pause();
}
