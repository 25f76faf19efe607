// bench_echo SOCKET
//
// The least that a server with an event loop can do: sends back what it gets. Ends on SIGTERM or with its parent.

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "board.h"

static void add(int poll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static void answer(int client) {
    char buffer[4096];
    const ssize_t length = read(client, buffer, sizeof buffer);
    if (length <= 0 || write(client, buffer, (size_t)length) != length) close(client);
}

int main(int argc, char** argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) {
        fputs("usage: bench_echo SOCKET\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    strcpy(address.sun_path, argv[1]);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || poll < 0) fail("socket");
    if (bind(listener, (struct sockaddr*)&address, sizeof address) < 0 || listen(listener, 128) < 0) fail(argv[1]);
    puts("listening");
    fflush(stdout);
    add(poll, listener);
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(poll, &event, 1, -1) < 1) continue;
        if (event.data.fd != listener) {
            answer(event.data.fd);
            continue;
        }
        const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0) add(poll, client);
    }
}
