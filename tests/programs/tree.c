// tree FIFO COUNT deaf|stopped|traced
//
// A main process with COUNT children that
//   deaf     all ignore every signal that can be ignored;
//   stopped  all have stopped themselves;
//   traced   are traced by it and left stopped, while one child more traces the main process and leaves it stopped.
// Each says when it is there; of the traced tree, the tracer in the place of the main process.

#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "hostile.h"

static void be_as_told(const char* fifo, const char* way) {
    if (strcmp(way, "deaf") == 0) {
        for (int number = 1; number <= SIGRTMAX; ++number) signal(number, SIG_IGN);
    }
    say_up(fifo);
    if (strcmp(way, "stopped") == 0) raise(SIGSTOP);
    for (;;) pause();
}

static void be_traced(const char* fifo) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) _exit(2);
    raise(SIGSTOP);
    say_up(fifo);  // never reached: its tracer does not let it go on
}

static void trace_parent(const char* fifo) {
    const pid_t parent = getppid();
    if (ptrace(PTRACE_SEIZE, parent, NULL, NULL) < 0) _exit(2);
    if (ptrace(PTRACE_INTERRUPT, parent, NULL, NULL) < 0) _exit(2);
    if (waitpid(parent, NULL, __WALL) != parent) _exit(2);
    say_up(fifo);
    for (;;) pause();
}

int main(int argc, char** argv) {
    if (argc != 4) {
        fputs("usage: tree FIFO COUNT deaf|stopped|traced\n", stderr);
        return 2;
    }
    const int traced = strcmp(argv[3], "traced") == 0;
    const int count = atoi(argv[2]) < 100 ? atoi(argv[2]) : 100;
    bound_life();
    for (int i = 0; i < count; ++i) {
        const pid_t child = bounded_fork();
        if (child < 0) return 2;
        if (child == 0 && !traced) be_as_told(argv[1], argv[3]);
        if (child == 0) be_traced(argv[1]);
        if (!traced) continue;
        if (waitpid(child, NULL, WUNTRACED) != child) return 2;
        say_up(argv[1]);
    }
    if (!traced) be_as_told(argv[1], argv[3]);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    if (bounded_fork() == 0) trace_parent(argv[1]);
    for (;;) pause();
}
