#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// The board is a file on which the programs under supervision write when they were born and when they died, so that
// no figure depends on what a supervisor says of itself. All of them map it; harness/board.py reads it and knows the
// same layout. A record is claimed once and never given back.

struct board_record {
    uint64_t born_ns;  // CLOCK_MONOTONIC at the first instruction of main()
    uint64_t died_ns;  // the same before the last instruction; 0 while alive
    int32_t pid;
    uint32_t id;
};

struct board {
    uint64_t started_ns;   // just before the supervisor was executed
    uint64_t released_ns;  // just before the orphans were let go, or output begun
    uint64_t gone_ns;      // when none of them existed any more, all output was in its files, or a signal was taken
    uint64_t spent_ns;     // CPU time that a writer of output took for it
    uint32_t capacity;     // records that fit
    uint32_t claimed;
    uint32_t parked;  // orphans that wait, writers that are done, or answers to signals
    uint32_t padding[3];
    struct board_record records[];
};

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void fail(const char* what) {
    perror(what);
    _exit(111);
}

static inline struct board* map_board(const char* path) {
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) < 0) fail(path);
    void* memory = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) fail(path);
    close(fd);
    return memory;
}

// A board that is full ends the program: a loop gone wild must not run on unseen.
static inline struct board_record* claim_record(struct board* board) {
    const uint32_t index = __atomic_fetch_add(&board->claimed, 1, __ATOMIC_RELAXED);
    if (index >= board->capacity) _exit(112);
    return &board->records[index];
}

// born_ns is written last: a reader that sees it sees the whole record.
static inline struct board_record* sign_in(struct board* board, uint64_t born_ns, uint32_t id) {
    struct board_record* record = claim_record(board);
    record->pid = getpid();
    record->id = id;
    __atomic_store_n(&record->born_ns, born_ns, __ATOMIC_RELEASE);
    return record;
}
