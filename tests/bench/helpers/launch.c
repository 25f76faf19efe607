// bench_launch BOARD SIGNAL PROGRAM [ARGUMENT…]
//
// Writes when the supervisor was started and becomes it. The supervisor gets SIGNAL when the harness dies.

#include <signal.h>
#include <sys/prctl.h>

#include "board.h"

int main(int argc, char** argv) {
    if (argc < 4) {
        fputs("usage: bench_launch BOARD SIGNAL PROGRAM [ARGUMENT…]\n", stderr);
        return 2;
    }
    struct board* board = map_board(argv[1]);
    if (prctl(PR_SET_PDEATHSIG, strtoul(argv[2], NULL, 10)) < 0) fail("prctl");
    __atomic_store_n(&board->started_ns, now_ns(), __ATOMIC_RELEASE);
    execv(argv[3], &argv[3]);
    fail(argv[3]);
}
