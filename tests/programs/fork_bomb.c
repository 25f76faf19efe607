// fork_bomb all|one|threads
//
//   all      every process forks for ever, and prints "full" when it is refused for the first time
//   threads  the same, by three threads of each process
//   one      every process forks once and ends, GENERATIONS times; the hundredth prints "full"
//
// No signal that can be ignored ends it. It runs only where it cannot do harm: not as root, and with a low
// RLIMIT_NPROC.

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST_PROCESSES = 1000, GENERATIONS = 1000000, TOLD = 100 };

static int threads;

static void tell(void) {
    if (write(STDOUT_FILENO, "full\n", 5) < 0) _exit(2);
}

static void* fork_for_ever(void* told);

static void start_threads(void) {
    for (int i = 1; i < threads; ++i) {
        pthread_t thread;
        pthread_create(&thread, NULL, fork_for_ever, "");
    }
}

static void* fork_for_ever(void* told) {
    for (;;) {
        const pid_t pid = fork();
        if (pid == 0) {
            told = NULL;
            start_threads();
        }
        if (pid >= 0) continue;
        if (errno == EAGAIN && told == NULL) tell();
        told = "";
        sched_yield();
    }
    return NULL;
}

static int fork_and_end(void) {
    // Ignored, it would have the kernel remove a child that ends before its parent, and nobody would count it.
    signal(SIGCHLD, SIG_DFL);
    for (int generation = 0; generation < GENERATIONS; ++generation) {
        const pid_t pid = fork();
        if (pid > 0) return 0;
        if (pid == 0 && generation == TOLD) tell();
    }
    return 0;
}

int main(int argc, char** argv) {
    struct rlimit processes;
    if (argc != 2 || geteuid() == 0 || getrlimit(RLIMIT_NPROC, &processes) < 0 || processes.rlim_max > MOST_PROCESSES) {
        fputs("usage: fork_bomb all|one|threads, not as root, and with a low RLIMIT_NPROC\n", stderr);
        return 2;
    }
    for (int number = 1; number <= SIGRTMAX; ++number) signal(number, SIG_IGN);
    if (strcmp(argv[1], "one") == 0) return fork_and_end();
    threads = strcmp(argv[1], "threads") == 0 ? 3 : 1;
    start_threads();
    fork_for_ever(NULL);
}
