// know_yourself FILE
//
// Writes what it was given as a process, one JSON object a line and fact, and ends:
//   {"uid":[0,0,0]}  {"signals_blocked":[]}  {"fd":0,"is":"/dev/null"}  {"env":"PATH=/bin"} ...
// Unlike a shell it changes none of it: no descriptor, no variable and no disposition is its own doing.

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

/// `{"env":` or the like, then `text` as a JSON string.
static void write_fact(FILE* out, const char* begin, const char* text) {
    fprintf(out, "%s\"", begin);
    for (; *text != '\0'; ++text) {
        const unsigned char c = (unsigned char)*text;
        fprintf(out, c < 0x20 || c == '"' || c == '\\' || c == 0x7f ? "\\u%04x" : "%c", c);
    }
    fputs("\"}\n", out);
}

static void write_signals(FILE* out) {
    sigset_t blocked;
    struct sigaction action;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number <= SIGRTMAX; ++number) {
        if (sigismember(&blocked, number) == 1) fprintf(out, "{\"signal_blocked\":%d}\n", number);
        if (sigaction(number, NULL, &action) < 0 || action.sa_handler != SIG_IGN) continue;
        fprintf(out, "{\"signal_ignored\":%d}\n", number);
    }
}

static void write_descriptors(FILE* out, int own) {
    const long most = sysconf(_SC_OPEN_MAX) < 65536 ? sysconf(_SC_OPEN_MAX) : 65536;
    for (int fd = 0; fd < most; ++fd) {
        char link[64], begin[64], target[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        snprintf(begin, sizeof begin, "{\"fd\":%d,\"is\":", fd);
        const ssize_t size = fd == own ? -1 : readlink(link, target, sizeof target - 1);
        if (size < 0) continue;
        target[size] = '\0';
        write_fact(out, begin, target);
    }
}

int main(int argc, char** argv) {
    FILE* out = argc == 2 ? fopen(argv[1], "we") : NULL;
    if (out == NULL) return 2;
    uid_t u[3];
    gid_t g[3];
    getresuid(&u[0], &u[1], &u[2]);
    getresgid(&g[0], &g[1], &g[2]);
    fprintf(out, "{\"uid\":[%u,%u,%u]}\n{\"gid\":[%u,%u,%u]}\n", u[0], u[1], u[2], g[0], g[1], g[2]);
    fprintf(out, "{\"pid\":%d,\"group\":%d,\"session\":%d}\n", getpid(), getpgrp(), getsid(0));
    fprintf(out, "{\"umask\":%u}\n", umask(0));
    write_signals(out);
    write_descriptors(out, fileno(out));
    for (char** entry = environ; *entry != NULL; ++entry) write_fact(out, "{\"env\":", *entry);
    return fclose(out) == 0 ? 0 : 2;
}
