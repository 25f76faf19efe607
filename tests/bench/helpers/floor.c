// bench_floor keep|up COUNT PROGRAM [ARGUMENT…] | bench_floor reap PROGRAM [ARGUMENT…]
//
// The least that a supervisor can do, as raw loops. keep: COUNT copies of the program, each started again whenever it
// ends (epoll, signalfd, waitid, vfork). up: COUNT copies, started one after the other by vfork. reap: one copy, and
// every orphan of its making collected by waitid. To keep and up, the number of the copy is given as last argument;
// SIGTERM ends them with all copies. reap ends when no child is left.

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "board.h"

extern char** environ;

struct crew {
    char** command;
    char* number;  // the last argument, rewritten for each copy
    pid_t* pids;
    unsigned count;
    sigset_t blocked;
    sigset_t original;
};

static void start_copy(struct crew* crew, unsigned index) {
    if (crew->number != NULL) sprintf(crew->number, "%u", index);
    const pid_t pid = vfork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &crew->original, NULL);
        execve(crew->command[0], crew->command, environ);
        _exit(127);
    }
    if (pid < 0) fail("vfork");
    crew->pids[index] = pid;
}

static void end_all(struct crew* crew) {
    for (unsigned i = 0; i < crew->count; ++i) kill(crew->pids[i], SIGTERM);
    siginfo_t end;
    while (waitid(P_ALL, 0, &end, WEXITED) == 0 || errno == EINTR) {
    }
    _exit(0);
}

static void restart_dead(struct crew* crew) {
    siginfo_t end;
    end.si_pid = 0;
    while (waitid(P_ALL, 0, &end, WEXITED | WNOHANG) == 0 && end.si_pid != 0) {
        for (unsigned i = 0; i < crew->count; ++i) {
            if (crew->pids[i] == end.si_pid) start_copy(crew, i);
        }
        end.si_pid = 0;
    }
}

static void keep(struct crew* crew) {
    const int signals = signalfd(-1, &crew->blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (signals < 0 || poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, signals, &event) < 0) fail("epoll");
    for (unsigned i = 0; i < crew->count; ++i) start_copy(crew, i);
    for (;;) {
        struct signalfd_siginfo signal;
        if (epoll_wait(poll, &event, 1, -1) < 1) continue;
        while (read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
            if (signal.ssi_signo == SIGTERM) end_all(crew);
            restart_dead(crew);
        }
    }
}

static void bring_up(struct crew* crew) {
    for (unsigned i = 0; i < crew->count; ++i) start_copy(crew, i);
    int signal = 0;
    while (signal != SIGTERM) sigwait(&crew->blocked, &signal);
    end_all(crew);
}

static void reap(struct crew* crew) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) fail("prctl");
    start_copy(crew, 0);
    siginfo_t end;
    while (waitid(P_ALL, 0, &end, WEXITED) == 0 || errno == EINTR) {
    }
}

static char** with_number(int count, char** words, char* number) {
    char** command = calloc((size_t)count + 2, sizeof *command);
    if (command == NULL) fail("calloc");
    memcpy(command, words, (size_t)count * sizeof *command);
    command[count] = number;
    return command;
}

int main(int argc, char** argv) {
    struct crew crew = {.count = 1};
    static char number[16];
    sigemptyset(&crew.blocked);
    sigaddset(&crew.blocked, SIGTERM);
    sigaddset(&crew.blocked, SIGCHLD);
    if (argc >= 3 && strcmp(argv[1], "reap") == 0) {
        pid_t only = 0;
        crew.pids = &only;
        crew.command = &argv[2];
        sigprocmask(SIG_BLOCK, NULL, &crew.original);
        reap(&crew);
        return 0;
    }
    if (argc < 4 || (strcmp(argv[1], "keep") != 0 && strcmp(argv[1], "up") != 0)) {
        fputs("usage: bench_floor keep|up COUNT PROGRAM [ARGUMENT…] | reap PROGRAM [ARGUMENT…]\n", stderr);
        return 2;
    }
    crew.count = (unsigned)strtoul(argv[2], NULL, 10);
    crew.number = number;
    crew.command = with_number(argc - 3, &argv[3], number);
    crew.pids = calloc(crew.count, sizeof *crew.pids);
    if (crew.pids == NULL) fail("calloc");
    sigprocmask(SIG_BLOCK, &crew.blocked, &crew.original);
    if (strcmp(argv[1], "keep") == 0) keep(&crew);
    bring_up(&crew);
}
