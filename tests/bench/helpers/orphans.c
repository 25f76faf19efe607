// bench_orphans BOARD COUNT ID
//
// Makes COUNT orphans that wait on a pipe (a process between them and this one has ended, so they belong to the
// nearest subreaper). SIGUSR1 lets all of them die at once; then the time at which none exists any more, not even as
// a zombie, is written to the board.

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "board.h"

enum { kLongestLifeSeconds = 300, kFirstOrphan = 1 };

static const struct timespec kGlance = {0, 1000000};

static void wait_and_die(struct board* board, int pipe_end) {
    char nothing;
    alarm(kLongestLifeSeconds);
    __atomic_fetch_add(&board->parked, 1, __ATOMIC_RELAXED);
    while (read(pipe_end, &nothing, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

// Their own session, as a daemon that detached itself has: no signal to the job's process group reaches them.
static void make_orphans(struct board* board, uint32_t count, int pipe_end) {
    setsid();
    for (uint32_t i = 0; i < count; ++i) {
        struct board_record* record = claim_record(board);
        const pid_t pid = fork();
        if (pid < 0) fail("fork");
        if (pid == 0) wait_and_die(board, pipe_end);
        record->pid = pid;
        record->id = kFirstOrphan + i;
        __atomic_store_n(&record->born_ns, now_ns(), __ATOMIC_RELEASE);
    }
    _exit(0);
}

// kill(pid, 0) succeeds for a zombie and fails once it is reaped; each pid is passed once, so looking costs little.
static void wait_until_gone(struct board* board, uint32_t count) {
    uint32_t next = kFirstOrphan;
    for (;;) {
        while (next < kFirstOrphan + count && kill(board->records[next].pid, 0) < 0 && errno == ESRCH) ++next;
        if (next == kFirstOrphan + count) break;
        nanosleep(&kGlance, NULL);
    }
    __atomic_store_n(&board->gone_ns, now_ns(), __ATOMIC_RELEASE);
}

int main(int argc, char** argv) {
    const uint64_t born = now_ns();
    if (argc != 4) {
        fputs("usage: bench_orphans BOARD COUNT ID\n", stderr);
        return 2;
    }
    struct board* board = map_board(argv[1]);
    const uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
    int ends[2];
    sigset_t release;
    sigemptyset(&release);
    sigaddset(&release, SIGUSR1);
    sigprocmask(SIG_BLOCK, &release, NULL);
    alarm(kLongestLifeSeconds);
    sign_in(board, born, 0);
    if (pipe2(ends, O_CLOEXEC) < 0) fail("pipe2");

    const pid_t between = fork();
    if (between < 0) fail("fork");
    if (between == 0) {
        close(ends[1]);
        make_orphans(board, count, ends[0]);
    }
    int status = 0;
    waitpid(between, &status, 0);
    if (status != 0) return 1;

    int signal = 0;
    sigwait(&release, &signal);
    __atomic_store_n(&board->released_ns, now_ns(), __ATOMIC_RELEASE);
    close(ends[1]);
    wait_until_gone(board, count);
    for (;;) pause();
}
