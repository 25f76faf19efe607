// bench_tree BOARD COUNT ID
//
// A tree of COUNT processes, this one among them, that only SIGKILL ends: below it are branches, each in a session of
// its own as a daemon that detached itself is, and below each of these its leaves.

#include <signal.h>

#include "board.h"

enum { kLongestLifeSeconds = 300, kBranchSize = 100 };

static void live(struct board* board) {
    alarm(kLongestLifeSeconds);  // ends by itself whatever becomes of the harness
    __atomic_fetch_add(&board->parked, 1, __ATOMIC_RELAXED);
    for (;;) pause();
}

static void grow_branch(struct board* board, uint32_t size, uint32_t id) {
    setsid();
    sign_in(board, now_ns(), id);
    for (uint32_t leaf = 1; leaf < size; ++leaf) {
        const pid_t pid = fork();
        if (pid < 0) fail("fork");
        if (pid > 0) continue;
        sign_in(board, now_ns(), id);
        live(board);
    }
    live(board);
}

int main(int argc, char** argv) {
    const uint64_t born = now_ns();
    if (argc != 4) {
        fputs("usage: bench_tree BOARD COUNT ID\n", stderr);
        return 2;
    }
    struct board* board = map_board(argv[1]);
    const uint32_t id = (uint32_t)strtoul(argv[3], NULL, 10);
    uint32_t left = (uint32_t)strtoul(argv[2], NULL, 10) - 1;
    signal(SIGTERM, SIG_IGN);
    sign_in(board, born, id);
    while (left > 0) {
        const uint32_t size = left < kBranchSize ? left : kBranchSize;
        const pid_t pid = fork();
        if (pid < 0) fail("fork");
        if (pid == 0) grow_branch(board, size, id);
        left -= size;
    }
    live(board);
}
