// bench_upper
//
// The least that a program which serves one connection can do: writes in upper case what it reads, until that ends.

#include <unistd.h>

int main(void) {
    char buffer[4096];
    ssize_t length = 0;
    while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < length; ++i) {
            if (buffer[i] >= 'a' && buffer[i] <= 'z') buffer[i] = (char)(buffer[i] - 'a' + 'A');
        }
        if (write(STDOUT_FILENO, buffer, (size_t)length) != length) return 1;
    }
    return length < 0;
}
