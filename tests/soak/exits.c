// exits BOARD INDEX ORPHANS
//
// One run of instance INDEX: notes on the board how it will end, makes ORPHANS orphans that end at once, and ends so: by an
// exit code or by a signal, which follow from INDEX and the number of the run. When as many runs as are wanted have begun, it
// waits to be ended instead. The board is a file that tests/soak/exits has laid out and compares with what procsupd tells.

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kInstances = 64, kKilled = 256 };

struct ending {
    int32_t pid;
    uint32_t status;  // the exit code, or kKilled + the signal
};

struct board {
    uint64_t wanted;   // runs
    uint64_t begun;    // more than wanted when all are done
    uint64_t idle;     // instances that wait
    uint64_t orphans;  // made
    uint64_t runs[kInstances];
    struct ending endings[];  // `wanted` for each instance, of which few are touched
};

static const int kSignals[] = {SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGALRM, SIGTERM};

static void fail(const char* what) {
    perror(what);
    _exit(111);
}

static struct board* map_board(const char* path) {
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) < 0) fail(path);
    void* memory = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) fail(path);
    return memory;
}

static uint32_t status_of(uint32_t index, uint64_t run) {
    const uint64_t mixed = (index * 2654435761u + run * 40503u) ^ (run << 7);
    if (mixed / 256 % 5 == 0) return kKilled + (uint32_t)kSignals[mixed % (sizeof(kSignals) / sizeof(kSignals[0]))];
    return mixed % 256;
}

// Every second one has a session of its own, as a daemon has.
static void make_orphan(struct board* board, int number) {
    const pid_t between = fork();
    if (between < 0) fail("fork");
    if (between == 0) {
        const pid_t orphan = fork();
        if (orphan < 0) fail("fork");
        if (orphan > 0) {
            __atomic_fetch_add(&board->orphans, 1, __ATOMIC_RELAXED);
            _exit(0);
        }
        if (number % 2 == 1) setsid();
        _exit(number);
    }
    int status = 0;
    waitpid(between, &status, 0);
}

static void end(uint32_t status) {
    if (status < kKilled) _exit((int)status);
    raise((int)(status - kKilled));
    _exit(112);
}

int main(int argc, char** argv) {
    if (argc != 4) {
        fputs("usage: exits BOARD INDEX ORPHANS\n", stderr);
        return 2;
    }
    struct board* board = map_board(argv[1]);
    const uint32_t index = (uint32_t)strtoul(argv[2], NULL, 10);
    if (__atomic_fetch_add(&board->begun, 1, __ATOMIC_RELAXED) >= board->wanted) {
        __atomic_fetch_add(&board->idle, 1, __ATOMIC_RELAXED);
        for (;;) pause();
    }
    const uint64_t run = __atomic_fetch_add(&board->runs[index], 1, __ATOMIC_RELAXED);
    struct ending* ending = &board->endings[index * board->wanted + run];
    ending->pid = getpid();
    ending->status = status_of(index, run);
    for (int number = 0; number < atoi(argv[3]); ++number) make_orphan(board, number);
    end(ending->status);
}
