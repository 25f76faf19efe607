// bench_end_tree BOARD GROUP PROGRAM [ARGUMENT…]
//
// The least that ends a tree of processes for certain. The program runs in GROUP, the directory of a cgroup. SIGUSR1 has
// everything in it killed by one write to cgroup.kill; when all are collected, the time is written to the board.
// SIGTERM does the same, and ends this program, too.

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "board.h"

static void write_to(int directory, const char* name, const char* text) {
    const int file = openat(directory, name, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, text, 1) != 1) fail(name);
    close(file);
}

int main(int argc, char** argv) {
    if (argc < 4) {
        fputs("usage: bench_end_tree BOARD GROUP PROGRAM [ARGUMENT…]\n", stderr);
        return 2;
    }
    struct board* board = map_board(argv[1]);
    const int group = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sigset_t orders, original;
    sigemptyset(&orders);
    sigaddset(&orders, SIGUSR1);
    sigaddset(&orders, SIGTERM);
    sigprocmask(SIG_BLOCK, &orders, &original);
    if (group < 0) fail(argv[2]);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) fail("prctl");

    const pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
        write_to(group, "cgroup.procs", "0");
        sigprocmask(SIG_SETMASK, &original, NULL);
        execv(argv[3], &argv[3]);
        fail(argv[3]);
    }

    int order = 0;
    sigwait(&orders, &order);
    __atomic_store_n(&board->released_ns, now_ns(), __ATOMIC_RELEASE);
    write_to(group, "cgroup.kill", "1");
    siginfo_t end;
    while (waitid(P_ALL, 0, &end, WEXITED) == 0 || errno == EINTR) {
    }
    __atomic_store_n(&board->gone_ns, now_ns(), __ATOMIC_RELEASE);
    while (order != SIGTERM) sigwait(&orders, &order);
    return 0;
}
