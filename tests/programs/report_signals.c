// report_signals FIFO COUNT [group|session]
//
// A main process with COUNT children, in its process group or each in a session of its own, that say when they are there and
// then which signals they get: "main 2", "child 15". SIGTERM ends them, what else can be caught does not.

#include <string.h>

#include "hostile.h"

static void say(const char* fifo, const char* who, int number) {
    char line[32];
    const int size = snprintf(line, sizeof line, "%s %d\n", who, number);
    const int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, line, (size_t)size) != size) _exit(2);
    close(fd);
}

static void report(const char* fifo, const char* who, const sigset_t* all) {
    int number = 0;
    say_up(fifo);
    while (number != SIGTERM && sigwait(all, &number) == 0) say(fifo, who, number);
    exit(0);
}

int main(int argc, char** argv) {
    if (argc < 3) {
        fputs("usage: report_signals FIFO COUNT [group|session]\n", stderr);
        return 2;
    }
    const int count = atoi(argv[2]) < 100 ? atoi(argv[2]) : 100;
    const int apart = argc > 3 && strcmp(argv[3], "session") == 0;
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGCHLD);
    sigdelset(&all, SIGCONT);
    sigprocmask(SIG_SETMASK, &all, NULL);
    bound_life();
    for (int i = 0; i < count; ++i) {
        const pid_t child = bounded_fork();
        if (child < 0) return 2;
        if (child != 0) continue;
        if (apart) setsid();
        report(argv[1], "child", &all);
    }
    report(argv[1], "main", &all);
}
