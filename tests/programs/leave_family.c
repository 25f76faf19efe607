// leave_family COUNT [stay|go] [group|session]
//
// Starts COUNT children that sleep for ever, in its own process group or each in a session of its own, prints their pids
// on one line, and then stays, or goes and leaves them behind.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc < 2) {
        fputs("usage: leave_family COUNT [stay|go] [group|session]\n", stderr);
        return 2;
    }
    const int go = argc > 2 && strcmp(argv[2], "go") == 0;
    const int apart = argc > 3 && strcmp(argv[3], "session") == 0;
    for (int i = atoi(argv[1]); i > 0; --i) {
        const pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            return 2;
        }
        if (pid == 0) {
            if (apart) setsid();
            for (;;) pause();
        }
        printf(i > 1 ? "%d " : "%d\n", pid);
        fflush(stdout);
    }
    while (!go) pause();
    return 0;
}
