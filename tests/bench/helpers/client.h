#pragma once

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "board.h"

static inline int connect_to(const char* path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "%s: path too long\n", path);
        _exit(111);
    }
    strcpy(address.sun_path, path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) < 0) fail(path);
    return fd;
}
