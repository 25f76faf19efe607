// bench_stop_tree BOARD PROGRAM [ARGUMENT…]
//
// Runs a command that ends all programs that have signed the board, and writes to the board when it was started, and when
// it had ended and none of them existed any more, not even as a zombie. Ends with the status of the command.

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "board.h"

static const struct timespec kGlance = {0, 200000};

// kill(pid, 0) succeeds for a zombie and fails once it is reaped; each pid is passed once, so looking costs little.
static void wait_until_gone(const struct board* board) {
    for (uint32_t next = 0; next < board->claimed;) {
        if (kill(board->records[next].pid, 0) < 0 && errno == ESRCH) {
            ++next;
        } else {
            nanosleep(&kGlance, NULL);
        }
    }
}

int main(int argc, char** argv) {
    if (argc < 3) {
        fputs("usage: bench_stop_tree BOARD PROGRAM [ARGUMENT…]\n", stderr);
        return 2;
    }
    struct board* board = map_board(argv[1]);
    int status = 0;
    __atomic_store_n(&board->released_ns, now_ns(), __ATOMIC_RELEASE);
    const pid_t pid = vfork();
    if (pid == 0) {
        execv(argv[2], &argv[2]);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) fail("vfork");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    wait_until_gone(board);
    __atomic_store_n(&board->gone_ns, now_ns(), __ATOMIC_RELEASE);
    return 0;
}
