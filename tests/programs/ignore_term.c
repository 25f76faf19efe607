// ignore_term [FILE]
//
// Ignores every signal that can be ignored, says so by a line in FILE or standard output, and stays until it is killed.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char** argv) {
    for (int number = 1; number <= SIGRTMAX; ++number) signal(number, SIG_IGN);
    const int fd = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : STDOUT_FILENO;
    if (fd < 0 || write(fd, "deaf\n", 5) != 5) {
        perror("ignore_term");
        return 2;
    }
    for (;;) pause();
}
