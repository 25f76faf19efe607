// bench_service BOARD live MILLISECONDS ID | bench_service BOARD park ID
//
// The program under supervision: says when it is born, then lives for a while and says when it dies, or waits for a
// signal.

#include <string.h>

#include "board.h"

enum { kLongestParkSeconds = 1800 };

static uint32_t number(const char* text) { return (uint32_t)strtoul(text, NULL, 10); }

int main(int argc, char** argv) {
    const uint64_t born = now_ns();
    if (argc == 5 && strcmp(argv[2], "live") == 0) {
        struct board_record* record = sign_in(map_board(argv[1]), born, number(argv[4]));
        const uint32_t milliseconds = number(argv[3]);
        const struct timespec life = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
        nanosleep(&life, NULL);
        __atomic_store_n(&record->died_ns, now_ns(), __ATOMIC_RELAXED);
        _exit(0);
    }
    if (argc == 4 && strcmp(argv[2], "park") == 0) {
        sign_in(map_board(argv[1]), born, number(argv[3]));
        alarm(kLongestParkSeconds);  // ends by itself whatever becomes of the harness
        for (;;) pause();
    }
    fputs("usage: bench_service BOARD live MILLISECONDS ID | BOARD park ID\n", stderr);
    return 2;
}
