// bench_locks turns ROUNDS BLOCK BROKER ECHO [REDIS] | bench_locks crowd COUNT TIMES BROKER
//
// turns: prints "INDEX NANOSECONDS", BLOCK of each in turn, ROUNDS times: 0 a lock acquired and released, 1 two round trips of the
// same size to the echo server, 2 a lock handed over: from its release until another connection has its answer, 3 one round trip
// to the echo server, 4 a key of Redis set where it is not there, and deleted.
// crowd: COUNT connections wait for one lock; prints "waiting", and for a line of standard input lets the first TIMES of them have
// it and release it, and prints "0 NANOSECONDS" for each release.

#include <poll.h>
#include <sys/resource.h>

#include "client.h"

#define ACQUIRE "{\"method\":\"io.procsupd.Lock.Acquire\",\"parameters\":{\"name\":\"bench\"}}"
#define RELEASE "{\"method\":\"io.procsupd.Lock.Release\",\"parameters\":{\"name\":\"bench\"}}"
#define OTHER "{\"method\":\"io.procsupd.Lock.Release\",\"parameters\":{\"name\":\"other\"}}"
static const char kAcquire[] = ACQUIRE, kRelease[] = RELEASE, kOther[] = OTHER;  // sent with their final NUL
static const char kSet[] = "SET bench 1 NX\r\n", kDelete[] = "DEL bench\r\n";

static void tell(int fd, const char* text, size_t size) {
    if (write(fd, text, size) != (ssize_t)size) fail("write");
}

// Nothing is left over because one call is made at a time.
static void hear(int fd, char end, const char* wrong) {
    char answer[4096];
    ssize_t length = 0;
    do {
        length = read(fd, answer, sizeof answer);
        if (length <= 0) fail("read");
    } while (answer[length - 1] != end);
    if (wrong != NULL && memmem(answer, (size_t)length, wrong, strlen(wrong)) != NULL) {
        fprintf(stderr, "locks: %.*s\n", (int)length, answer);
        _exit(1);
    }
}

static void ask(int fd, const char* text, size_t size) {
    tell(fd, text, size);
    hear(fd, '\0', "\"error\"");
}

static uint64_t pair(int fd) {
    const uint64_t before = now_ns();
    ask(fd, kAcquire, sizeof kAcquire);
    ask(fd, kRelease, sizeof kRelease);
    return now_ns() - before;
}

static uint64_t redis_pair(int fd) {
    const uint64_t before = now_ns();
    tell(fd, kSet, sizeof kSet - 1);
    hear(fd, '\n', "-");
    tell(fd, kDelete, sizeof kDelete - 1);
    hear(fd, '\n', "-");
    return now_ns() - before;
}

static uint64_t round_trip(int fd) {
    const uint64_t before = now_ns();
    ask(fd, kRelease, sizeof kRelease);
    return now_ns() - before;
}

// `from` has the lock, and `to` gets it.
static uint64_t hand_over(int from, int to) {
    tell(to, kAcquire, sizeof kAcquire);
    // What came before this has been seen to.
    tell(from, kOther, sizeof kOther);
    hear(from, '\0', NULL);
    const uint64_t before = now_ns();
    tell(from, kRelease, sizeof kRelease);
    hear(to, '\0', "\"error\"");
    const uint64_t took = now_ns() - before;
    hear(from, '\0', "\"error\"");
    return took;
}

static void take_turns(unsigned long rounds, unsigned long block, char** sockets, int count) {
    int one = connect_to(sockets[0]), other = connect_to(sockets[0]);
    const int echo = connect_to(sockets[1]), redis = count > 2 ? connect_to(sockets[2]) : -1;
    uint64_t* took = calloc(block, sizeof *took);
    if (took == NULL) fail("calloc");
    for (unsigned long round = 0; round < rounds; ++round) {
        for (int what = 0; what < (redis < 0 ? 4 : 5); ++what) {
            if (what == 2) ask(one, kAcquire, sizeof kAcquire);
            for (unsigned long i = 0; i < block; ++i) {
                if (what == 0) took[i] = pair(one);
                if (what == 1) took[i] = pair(echo);
                if (what == 2) {
                    took[i] = hand_over(one, other);
                    const int had = one;
                    one = other;
                    other = had;
                }
                if (what == 3) took[i] = round_trip(echo);
                if (what == 4) took[i] = redis_pair(redis);
            }
            if (what == 2) ask(one, kRelease, sizeof kRelease);
            for (unsigned long i = 0; i < block; ++i) printf("%d %llu\n", what, (unsigned long long)took[i]);
        }
    }
}

// The connection that has an answer, which has it now; in which order they were heard is not known.
static int next_of(struct pollfd* all, unsigned long count) {
    if (poll(all, count, -1) < 1) fail("poll");
    for (unsigned long i = 0; i < count; ++i) {
        if (all[i].revents == 0) continue;
        hear(all[i].fd, '\0', "\"error\"");
        return all[i].fd;
    }
    return -1;
}

static void crowd(unsigned long count, unsigned long times, const char* path) {
    const struct rlimit many = {count + 100, count + 100};
    if (setrlimit(RLIMIT_NOFILE, &many) < 0) fail("setrlimit");
    struct pollfd* waiting = calloc(count, sizeof *waiting);
    if (waiting == NULL || times > count) fail("calloc");
    int holder = connect_to(path);
    ask(holder, kAcquire, sizeof kAcquire);
    for (unsigned long i = 0; i < count; ++i) {
        waiting[i] = (struct pollfd){.fd = connect_to(path), .events = POLLIN};
        tell(waiting[i].fd, kAcquire, sizeof kAcquire);
    }
    // What came before this has been seen to, more or less.
    for (unsigned long i = 0; i < 3; ++i) {
        tell(holder, kOther, sizeof kOther);
        hear(holder, '\0', NULL);
    }
    puts("waiting");
    fflush(stdout);
    if (getchar() == EOF) return;
    for (unsigned long i = 0; i < times; ++i) {
        const uint64_t before = now_ns();
        ask(holder, kRelease, sizeof kRelease);
        printf("0 %llu\n", (unsigned long long)(now_ns() - before));
        holder = next_of(waiting, count);
    }
}

int main(int argc, char** argv) {
    if (argc >= 6 && strcmp(argv[1], "turns") == 0) {
        take_turns(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), &argv[4], argc - 4);
        return 0;
    }
    if (argc == 5 && strcmp(argv[1], "crowd") == 0) {
        crowd(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv[4]);
        return 0;
    }
    fputs("usage: bench_locks turns ROUNDS BLOCK BROKER ECHO [REDIS] | crowd COUNT TIMES BROKER\n", stderr);
    return 2;
}
