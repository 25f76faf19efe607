// bench_log_writer BOARD bulk BYTES WRITE LINE FOLDER EXPECTED ID | bench_log_writer BOARD lines ID
//
// A job that writes to its standard output. bulk: upon SIGUSR1 BYTES, WRITE of them at a time, in lines of LINE (0: one
// line without end); then says since when EXPECTED bytes are in the files of FOLDER (0: does not look), and waits.
// lines: ten a second, at a time of its own within the tenth, until SIGUSR1; then it waits.

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "board.h"

enum { kLongestLifeSeconds = 900, kLineSize = 100, kLookPause = 100 * 1000 };

static const uint64_t kTenth = 100 * 1000 * 1000;
static const uint64_t kStagger = 100 * 1000;

static uint64_t number(const char* text) { return strtoull(text, NULL, 10); }

static uint64_t spent_ns(void) {
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (uint64_t)spent.tv_sec * 1000000000u + (uint64_t)spent.tv_nsec;
}

static void write_all(const char* data, size_t size) {
    while (size > 0) {
        const ssize_t written = write(STDOUT_FILENO, data, size);
        if (written < 0 && errno != EINTR) fail("write");
        if (written < 0) continue;
        data += written;
        size -= (size_t)written;
    }
}

// Loggers keep their own notes beside the files.
static int is_log(const char* name) {
    const char* suffix = strrchr(name, '.');
    if (suffix != NULL && strcmp(suffix, ".runs") == 0) return 0;
    return name[0] != '.' && strcmp(name, "lock") != 0 && strcmp(name, "state") != 0 && strcmp(name, "config") != 0;
}

// A file that is being renamed is not seen, or seen twice: only what is seen twice in a row is believed.
static uint64_t bytes_in(DIR* folder) {
    uint64_t bytes = 0;
    rewinddir(folder);
    struct stat file;
    for (const struct dirent* entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!is_log(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &file, 0) < 0) continue;
        bytes += (uint64_t)file.st_size;
    }
    return bytes;
}

// When it was so first, however often it is looked at after that.
static uint64_t wait_written(const char* path, uint64_t expected) {
    DIR* folder = opendir(path);
    if (folder == NULL) fail(path);
    uint64_t first = 0;
    for (;;) {
        const uint64_t now = now_ns();
        if (bytes_in(folder) != expected) {
            first = 0;
        } else if (first != 0) {
            return first;
        } else {
            first = now;
        }
        const struct timespec pause = {0, kLookPause};
        nanosleep(&pause, NULL);
    }
}

static char* make_lines(size_t size, size_t line) {
    char* data = malloc(size);
    if (data == NULL) fail("malloc");
    for (size_t i = 0; i < size; ++i) data[i] = (char)('a' + i % 26);
    for (size_t end = line; line > 0 && end <= size; end += line) data[end - 1] = '\n';
    return data;
}

static void write_bulk(struct board* board, char** words, const sigset_t* go) {
    const uint64_t bytes = number(words[0]), expected = number(words[4]);
    const size_t chunk = (size_t)number(words[1]);
    const char* data = make_lines(chunk, (size_t)number(words[2]));
    int signal = 0;
    while (signal != SIGUSR1) sigwait(go, &signal);
    const uint64_t spent_before = spent_ns();
    board->released_ns = now_ns();
    uint64_t left = bytes;
    for (; left >= chunk; left -= chunk) write_all(data, chunk);
    write_all(data, (size_t)left);
    board->spent_ns = spent_ns() - spent_before;
    if (expected > 0) __atomic_store_n(&board->gone_ns, wait_written(words[3], expected), __ATOMIC_RELEASE);
    __atomic_store_n(&board->parked, 1, __ATOMIC_RELEASE);
}

static void write_lines(uint64_t id, const sigset_t* end) {
    const char* line = make_lines(kLineSize, kLineSize);
    uint64_t at = now_ns() / kTenth * kTenth + id * kStagger % kTenth;
    sigset_t pending;
    do {
        at += kTenth;
        const struct timespec time = {(time_t)(at / 1000000000u), (long)(at % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
        write_all(line, kLineSize);
        sigpending(&pending);
    } while (!sigismember(&pending, SIGUSR1));
    int signal = 0;
    sigwait(end, &signal);
}

int main(int argc, char** argv) {
    const uint64_t born = now_ns();
    const int bulk = argc == 9 && strcmp(argv[2], "bulk") == 0;
    if (!bulk && (argc != 4 || strcmp(argv[2], "lines") != 0)) {
        fputs("usage: bench_log_writer BOARD bulk BYTES WRITE LINE FOLDER EXPECTED ID | BOARD lines ID\n", stderr);
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    alarm(kLongestLifeSeconds);  // ends by itself whatever becomes of the harness
    const uint64_t id = number(argv[argc - 1]);
    struct board* board = map_board(argv[1]);
    sign_in(board, born, (uint32_t)id);
    if (bulk) {
        write_bulk(board, &argv[3], &signals);
    } else {
        write_lines(id, &signals);
    }
    for (;;) pause();
}
