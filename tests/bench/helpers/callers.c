// bench_callers PORT COUNT AT_ONCE
//
// COUNT connections to 127.0.0.1, AT_ONCE of them at any time, to a server that answers in upper case: each sends a line,
// closes its side, and reads until the other one is closed. Prints "0 NANOSECONDS" for each, from just before connect(2)
// until the answer was there to its end, "1 NANOSECONDS" for all, and "2 NANOSECONDS" of CPU time that this program took.

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "board.h"

enum { kSources = 250, kLongestSeconds = 120 };

static const char kLine[] = "the quick brown fox jumps over the lazy dog\n";
static const char kAnswer[] = "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG\n";

struct caller {
    uint64_t began_ns;
    size_t have;
    int fd;
    int sent;  // whether the line was
    char answer[sizeof kAnswer];
};

static int poller;
static struct sockaddr_in server = {.sin_family = AF_INET};

// An address keeps a port for a minute after a connection (TIME_WAIT); of one address alone the ports would run out.
static void bind_source(int fd, uint32_t number) {
    const int one = 1;
    const struct sockaddr_in source = {.sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number % kSources)};
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0) fail("setsockopt");
    if (bind(fd, (const struct sockaddr*)&source, sizeof source) < 0) fail("bind");
}

static void call(struct caller* caller, uint32_t number) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = caller};
    caller->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (caller->fd < 0) fail("socket");
    bind_source(caller->fd, number);
    caller->have = 0;
    caller->sent = 0;
    caller->began_ns = now_ns();
    if (connect(caller->fd, (struct sockaddr*)&server, sizeof server) < 0 && errno != EINPROGRESS) fail("connect");
    if (epoll_ctl(poller, EPOLL_CTL_ADD, caller->fd, &event) < 0) fail("epoll_ctl");
}

static void say(struct caller* caller) {
    const ssize_t length = (ssize_t)sizeof kLine - 1;
    if (send(caller->fd, kLine, (size_t)length, MSG_NOSIGNAL) != length) fail("send");
    if (shutdown(caller->fd, SHUT_WR) < 0) fail("shutdown");
    caller->sent = 1;
}

// Whether it was heard to its end.
static int hear(struct caller* caller) {
    for (;;) {
        const ssize_t length = read(caller->fd, caller->answer + caller->have, sizeof caller->answer - caller->have);
        if (length < 0 && errno == EAGAIN) return 0;
        if (length < 0) fail("read");
        if (length == 0) break;
        caller->have += (size_t)length;
    }
    if (caller->have == sizeof kAnswer - 1 && memcmp(caller->answer, kAnswer, sizeof kAnswer - 1) == 0) return 1;
    fprintf(stderr, "callers: an answer of %zu bytes instead of %zu, or a wrong one\n", caller->have,
            sizeof kAnswer - 1);
    _exit(1);
}

static void call_all(uint32_t count, uint32_t at_once, uint64_t* took) {
    struct caller* callers = calloc(at_once, sizeof *callers);
    if (callers == NULL) fail("calloc");
    uint32_t begun = 0;
    uint32_t done = 0;
    while (begun < at_once && begun < count) {
        call(&callers[begun], begun);
        ++begun;
    }
    while (done < count) {
        struct epoll_event events[64];
        const int ready = epoll_wait(poller, events, 64, -1);
        for (int i = 0; i < ready; ++i) {
            struct caller* caller = events[i].data.ptr;
            if (!caller->sent && (events[i].events & EPOLLOUT) != 0) say(caller);
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || !hear(caller)) continue;
            took[done++] = now_ns() - caller->began_ns;
            close(caller->fd);
            if (begun < count) call(caller, begun++);
        }
    }
}

static uint64_t nanoseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

int main(int argc, char** argv) {
    const uint32_t count = argc == 4 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    const uint32_t at_once = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    if (count == 0 || at_once == 0) {
        fputs("usage: bench_callers PORT COUNT AT_ONCE\n", stderr);
        return 2;
    }
    uint64_t* took = calloc(count, sizeof *took);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (took == NULL || poller < 0) fail("epoll");
    server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    alarm(kLongestSeconds);  // ends by itself where a connection is never answered
    const uint64_t before = now_ns();
    call_all(count, at_once, took);
    const uint64_t all = now_ns() - before;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    for (uint32_t i = 0; i < count; ++i) printf("0 %llu\n", (unsigned long long)took[i]);
    printf("1 %llu\n2 %llu\n", (unsigned long long)all,
           (unsigned long long)(nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime)));
    return 0;
}
