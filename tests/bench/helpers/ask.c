// bench_ask SOCKET
//
// The least that a command which asks a server can do: connect, send 32 bytes, read 32 bytes.

#include "client.h"

int main(int argc, char** argv) {
    char message[32] = "how are you";
    if (argc != 2) return 2;
    const int fd = connect_to(argv[1]);
    if (write(fd, message, sizeof message) != (ssize_t)sizeof message) fail("write");
    size_t have = 0;
    while (have < sizeof message) {
        const ssize_t length = read(fd, message + have, sizeof message - have);
        if (length <= 0) fail("read");
        have += (size_t)length;
    }
    return 0;
}
