// bench_commands ROUNDS SECONDS -- PROGRAM [ARGUMENT…] [-- PROGRAM…]
//
// Runs each command in turn, ROUNDS times or until SECONDS have passed, without its output, and prints
// "INDEX NANOSECONDS STATUS" for each: from just before vfork until it was reaped.

#include <string.h>
#include <sys/wait.h>

#include "board.h"

extern char** environ;

enum { kMostCommands = 8 };

struct run {
    uint64_t took_ns;
    int status;
};

static struct run run_command(char** command, int null) {
    struct run run = {0, 0};
    const uint64_t before = now_ns();
    const pid_t pid = vfork();
    if (pid == 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        execve(command[0], command, environ);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &run.status, 0) != pid) fail("vfork");
    run.took_ns = now_ns() - before;
    return run;
}

int main(int argc, char** argv) {
    char** commands[kMostCommands];
    int count = 0;
    for (int i = 3; i < argc; ++i) {
        if (strcmp(argv[i], "--") != 0) continue;
        argv[i] = NULL;
        if (i + 1 < argc && count < kMostCommands) commands[count++] = &argv[i + 1];
    }
    if (count == 0) {
        fputs("usage: bench_commands ROUNDS SECONDS -- PROGRAM [ARGUMENT…] [-- PROGRAM…]\n", stderr);
        return 2;
    }
    const unsigned long rounds = strtoul(argv[1], NULL, 10);
    const uint64_t end = now_ns() + strtoul(argv[2], NULL, 10) * 1000000000u;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) fail("/dev/null");
    for (unsigned long round = 0; round < rounds && now_ns() < end; ++round) {
        for (int i = 0; i < count; ++i) {
            const struct run run = run_command(commands[i], null);
            const int code = WIFEXITED(run.status) ? WEXITSTATUS(run.status) : 128 + WTERMSIG(run.status);
            printf("%d %llu %d\n", i, (unsigned long long)run.took_ns, code);
        }
    }
    return 0;
}
