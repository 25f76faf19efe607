// escape FIFO [stay|go]
//
// Starts a process that does all it can to belong to nobody: a session of its own, a parent that has ended, no environment,
// another title and name, no descriptor. Then it stays itself, or goes as daemons do.

#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "hostile.h"

extern char** environ;

static void vanish(char** argv, const char* fifo) {
    char* end = argv[0];
    for (char** entry = argv; *entry != NULL; ++entry) end = *entry + strlen(*entry);
    for (char** entry = environ; *entry != NULL; ++entry) end = *entry + strlen(*entry);
    memset(argv[0], 'x', (size_t)(end - argv[0]));
    clearenv();
    prctl(PR_SET_NAME, "kworker/u4:1");
    if (chdir("/") < 0) _exit(2);
    say_up(fifo);
    close_range(0, ~0U, 0);
    for (;;) pause();
}

int main(int argc, char** argv) {
    int there[2];
    if (argc < 2 || pipe(there) < 0) {
        fputs("usage: escape FIFO [stay|go]\n", stderr);
        return 2;
    }
    const int go = argc > 2 && strcmp(argv[2], "go") == 0;
    const char* fifo = strdup(argv[1]);
    bound_life();
    const pid_t child = bounded_fork();
    if (child == 0) {
        setsid();
        if (bounded_fork() != 0) _exit(0);
        vanish(argv, fifo);
    }
    // Until the other has closed all it had.
    char nothing;
    close(there[1]);
    if (child < 0 || waitpid(child, NULL, 0) < 0 || read(there[0], &nothing, 1) != 0) return 2;
    while (!go) pause();
    return 0;
}
