// end_when_told FIFO
//
// Waits for a word in FIFO and ends as it says: a number is an exit status, "-N" is death by signal N.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
    if (argc != 2) {
        fputs("usage: end_when_told FIFO\n", stderr);
        return 2;
    }
    const int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    char word[16] = "";
    if (fd < 0 || read(fd, word, sizeof word - 1) <= 0) {
        perror(argv[1]);
        return 2;
    }
    const int how = atoi(word);
    if (how >= 0) return how;
    signal(-how, SIG_DFL);
    kill(getpid(), -how);
    return 2;
}
