// count_signals FIFO COUNT
//
// Takes COUNT times SIGRTMIN+1, whose values are to be 0, 1, 2, … as sigqueue(3) sent them; then it says "count N in order" or
// "count N, 7 after 5" and ends.

#include "hostile.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        fputs("usage: count_signals FIFO COUNT\n", stderr);
        return 2;
    }
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    bound_life();
    say_up(argv[1]);
    long count = 0, last = -1, wrong = -1, wrong_after = 0;
    while (count < atol(argv[2])) {
        if (sigwaitinfo(&set, &info) < 0) continue;
        if (info.si_value.sival_int != last + 1 && wrong < 0) wrong = info.si_value.sival_int, wrong_after = last;
        last = info.si_value.sival_int;
        ++count;
    }
    const int fd = open(argv[1], O_WRONLY | O_CLOEXEC);
    if (wrong < 0) return dprintf(fd, "count %ld in order\n", count) < 0;
    return dprintf(fd, "count %ld, %ld after %ld\n", count, wrong, wrong_after) < 0;
}
