// bench_ping turns ROUNDS BLOCK SOCKET… | bench_ping watch INTERVAL_US SOCKET
//
// Varlink pings on connections that stay open. An echo server answers them too, with the call itself, so one client
// measures both. turns: ROUNDS times, BLOCK pings on each socket in turn; prints "INDEX NANOSECONDS" for each ping.
// watch: one ping every INTERVAL_US until standard input ends, at real-time priority, so that only the answer is waited
// for and not a processor; prints the worst time and the count.

#include <poll.h>
#include <sched.h>

#include "client.h"

static const char kPing[] = "{\"method\":\"io.procsupd.Manager.Ping\"}";  // sent with its final NUL

// An answer ends with NUL; nothing is left over because one call is made at a time.
static uint64_t ping(int fd) {
    char answer[4096];
    ssize_t length = 0;
    const uint64_t before = now_ns();
    if (write(fd, kPing, sizeof kPing) != (ssize_t)sizeof kPing) fail("write");
    do {
        length = read(fd, answer, sizeof answer);
        if (length <= 0) fail("read");
    } while (answer[length - 1] != '\0');
    const uint64_t took = now_ns() - before;
    if (memmem(answer, (size_t)length, "\"error\"", 7) != NULL) {
        fprintf(stderr, "ping: %.*s\n", (int)length, answer);
        _exit(1);
    }
    return took;
}

static void take_turns(unsigned long rounds, unsigned long block, char** sockets, int count) {
    enum { kMost = 8 };
    int fds[kMost];
    if (count > kMost) count = kMost;
    for (int i = 0; i < count; ++i) fds[i] = connect_to(sockets[i]);
    uint64_t* took = calloc(block, sizeof *took);
    if (took == NULL) fail("calloc");
    for (unsigned long round = 0; round < rounds; ++round) {
        for (int i = 0; i < count; ++i) {
            for (unsigned long j = 0; j < block; ++j) took[j] = ping(fds[i]);
            for (unsigned long j = 0; j < block; ++j) printf("%d %llu\n", i, (unsigned long long)took[j]);
        }
    }
}

static void watch(unsigned long interval_us, const char* path) {
    const struct timespec interval = {(time_t)(interval_us / 1000000), (long)(interval_us % 1000000) * 1000};
    struct pollfd input = {.fd = 0, .events = POLLIN};
    const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    const int fd = connect_to(path);
    if (sched_setscheduler(0, SCHED_RR, &lowest) < 0) fprintf(stderr, "ping: no real-time priority, waits for a processor\n");
    uint64_t worst = 0;
    unsigned long count = 0;
    while (ppoll(&input, 1, &interval, NULL) == 0) {
        const uint64_t took = ping(fd);
        if (took > worst) worst = took;
        ++count;
    }
    printf("%llu %lu\n", (unsigned long long)worst, count);
}

int main(int argc, char** argv) {
    if (argc >= 5 && strcmp(argv[1], "turns") == 0) {
        take_turns(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), &argv[4], argc - 4);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "watch") == 0) {
        watch(strtoul(argv[2], NULL, 10), argv[3]);
        return 0;
    }
    fputs("usage: bench_ping turns ROUNDS BLOCK SOCKET… | watch INTERVAL_US SOCKET\n", stderr);
    return 2;
}
