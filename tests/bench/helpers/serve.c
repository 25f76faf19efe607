// bench_serve PORT PROGRAM [ARGUMENT…]
//
// The least that a server can do which starts a program for each connection: accepts on 127.0.0.1, vforks, gives the
// program the connection as its standard input and output, and collects whoever has ended. SIGTERM ends it.

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "board.h"

extern char** environ;

static void collect(int number) {
    (void)number;
    const int before = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    errno = before;
}

static int listen_on(const char* port) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) fail("socket");
    if (bind(fd, (const struct sockaddr*)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0) fail("bind");
    return fd;
}

static void start(char** command, int connection) {
    const pid_t pid = vfork();
    if (pid == 0) {
        dup2(connection, STDIN_FILENO);
        dup2(connection, STDOUT_FILENO);
        execve(command[0], command, environ);
        _exit(127);
    }
    if (pid < 0) fail("vfork");
}

int main(int argc, char** argv) {
    if (argc < 3) {
        fputs("usage: bench_serve PORT PROGRAM [ARGUMENT…]\n", stderr);
        return 2;
    }
    const struct sigaction action = {.sa_handler = collect, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    const int listener = listen_on(argv[1]);
    for (;;) {
        const int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            fail("accept");
        }
        start(&argv[2], connection);
        close(connection);
    }
}
