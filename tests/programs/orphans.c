// orphans COUNT [FIFO]
//
// Makes COUNT processes that end at once and that nobody but an init collects: what is between them and this one ends first.
// With FIFO it says "up" on it before the first, and "done" behind the last. SIGTERM ends it with 17, also while it makes them.

#include <sys/wait.h>

#include "hostile.h"

static void end_with_17(int number) {
    (void)number;
    _exit(17);
}

static void say(const char* fifo, const char* word) {
    const int fd = open(fifo, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || dprintf(fd, "%s\n", word) < 0) _exit(2);
    close(fd);
}

int main(int argc, char** argv) {
    enum { kEach = 250 };
    if (argc < 2) {
        fputs("usage: orphans COUNT [FIFO]\n", stderr);
        return 2;
    }
    signal(SIGTERM, end_with_17);
    bound_life();
    if (argc > 2) say_up(argv[2]);
    for (int left = atoi(argv[1]); left > 0; left -= kEach) {
        const pid_t between = fork();
        if (between < 0) return 2;
        if (between == 0) {
            signal(SIGTERM, SIG_DFL);
            for (int i = 0; i < kEach && i < left; ++i) {
                const pid_t child = fork();
                if (child < 0) _exit(2);
                if (child == 0) _exit(0);
            }
            _exit(0);
        }
        int status = 0;
        if (waitpid(between, &status, 0) != between || status != 0) return 2;
    }
    if (argc > 2) say(argv[2], "done");
    for (;;) pause();
}
