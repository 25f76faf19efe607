// bench_inits lives BOARD ROUNDS -- [INIT…] [-- [INIT…]]…
// bench_inits signals BOARD ROUNDS BLOCK CPU -- [INIT…] [-- [INIT…]]…
// bench_inits born|answer BOARD
//
// What an init adds to its command, which it is given as its last arguments; where there is none, the command is
// executed directly. They take turns in each of ROUNDS; figures are printed as "INDEX NANOSECONDS". lives: of a command
// that ends at once, from just before vfork to the first instruction of its main(), and under INDEX plus the number of
// inits until the init was collected. signals: BLOCK signals one after the other, from just before kill(2) on the init,
// which has the processor CPU, until the command has taken the signal. born and answer are the commands.

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "board.h"

extern char** environ;

enum { kLongestLifeSeconds = 60, kMostInits = 8, kMostWords = 8 };

static const struct timespec kLongestWait = {5, 0};

struct inits {
    char** words[kMostInits];  // each ends with NULL
    uint32_t count;
};

static char* self;

static uint32_t number(const char* text) { return (uint32_t)strtoul(text, NULL, 10); }

static void find_inits(struct inits* inits, char** words) {
    for (; *words != NULL; ++words) {
        if (strcmp(*words, "--") != 0) continue;
        *words = NULL;
        if (inits->count < kMostInits) inits->words[inits->count++] = words + 1;
    }
}

static const char* name_of(char** init) { return *init == NULL ? "no init" : *init; }

static pid_t start(char** init, char* role, char* board) {
    char* command[kMostWords + 4];
    int count = 0;
    for (; *init != NULL && count < kMostWords; ++init) command[count++] = *init;
    command[count++] = self;
    command[count++] = role;
    command[count++] = board;
    command[count] = NULL;
    const pid_t pid = vfork();
    if (pid == 0) {
        execve(command[0], command, environ);
        _exit(127);
    }
    if (pid < 0) fail("vfork");
    return pid;
}

static void collect(pid_t pid, char** init) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) fail("waitpid");
    if (status == 0) return;
    fprintf(stderr, "%s: status %#x of a command that ended with 0\n", name_of(init), (unsigned)status);
    _exit(1);
}

static void lives(char* path, uint32_t rounds, const struct inits* inits) {
    struct board* board = map_board(path);
    for (uint32_t i = 0; i < rounds * inits->count; ++i) {
        const uint32_t index = i % inits->count;
        const uint64_t before = now_ns();
        collect(start(inits->words[index], "born", path), inits->words[index]);
        const uint64_t after = now_ns();
        printf("%u %llu\n", index, (unsigned long long)(board->records[i].born_ns - before));
        printf("%u %llu\n", inits->count + index, (unsigned long long)(after - before));
    }
}

// The number of answers so far is what both sides wait on.
static void await_answer(struct board* board, uint32_t answers, char** init) {
    uint32_t so_far = 0;
    while ((so_far = __atomic_load_n(&board->parked, __ATOMIC_ACQUIRE)) != answers) {
        const long result = syscall(SYS_futex, &board->parked, FUTEX_WAIT, so_far, &kLongestWait, NULL, 0);
        if (result == 0 || errno != ETIMEDOUT) continue;
        fprintf(stderr, "%s: a signal was not handed on\n", name_of(init));
        _exit(1);
    }
}

static void give_answer(struct board* board) {
    __atomic_fetch_add(&board->parked, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &board->parked, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void signal_block(struct board* board, char* path, char** init, size_t cpu, uint64_t* took, uint32_t block) {
    uint32_t answers = board->parked + 1;
    cpu_set_t place;
    CPU_ZERO(&place);
    CPU_SET(cpu, &place);
    const pid_t pid = start(init, "answer", path);
    await_answer(board, answers, init);
    if (sched_setaffinity(pid, sizeof place, &place) < 0) fail("sched_setaffinity");
    for (uint32_t i = 0; i < block; ++i) {
        const uint64_t before = now_ns();
        if (kill(pid, SIGUSR1) < 0) fail("kill");
        await_answer(board, ++answers, init);
        took[i] = board->gone_ns - before;
    }
    kill(pid, SIGTERM);
    collect(pid, init);
}

static void signals(char* path, uint32_t rounds, uint32_t block, size_t cpu, const struct inits* inits) {
    struct board* board = map_board(path);
    uint64_t* took = calloc(block, sizeof *took);
    if (took == NULL) fail("calloc");
    for (uint32_t i = 0; i < rounds * inits->count; ++i) {
        const uint32_t index = i % inits->count;
        signal_block(board, path, inits->words[index], cpu, took, block);
        for (uint32_t j = 0; j < block; ++j) printf("%u %llu\n", index, (unsigned long long)took[j]);
    }
}

static void answer(struct board* board) {
    sigset_t orders;
    sigemptyset(&orders);
    sigaddset(&orders, SIGUSR1);
    sigaddset(&orders, SIGTERM);
    sigprocmask(SIG_BLOCK, &orders, NULL);
    alarm(kLongestLifeSeconds);
    give_answer(board);
    siginfo_t signal;
    for (;;) {
        const int taken = sigwaitinfo(&orders, &signal);
        board->gone_ns = now_ns();
        if (taken == SIGTERM) _exit(0);
        if (taken == SIGUSR1) give_answer(board);
    }
}

int main(int argc, char** argv) {
    const uint64_t born = now_ns();
    self = argv[0];
    if (argc == 3 && strcmp(argv[1], "born") == 0) {
        sign_in(map_board(argv[2]), born, 0);
        _exit(0);
    }
    if (argc == 3 && strcmp(argv[1], "answer") == 0) answer(map_board(argv[2]));
    struct inits inits = {.count = 0};
    find_inits(&inits, argv);
    if (argc >= 5 && inits.count > 0 && strcmp(argv[1], "lives") == 0) {
        lives(argv[2], number(argv[3]), &inits);
        return 0;
    }
    if (argc >= 7 && inits.count > 0 && strcmp(argv[1], "signals") == 0) {
        signals(argv[2], number(argv[3]), number(argv[4]), number(argv[5]), &inits);
        return 0;
    }
    fputs("usage: bench_inits lives BOARD ROUNDS INITS | signals BOARD ROUNDS BLOCK CPU INITS | born|answer BOARD\n",
          stderr);
    return 2;
}
