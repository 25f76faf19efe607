#include <fcntl.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "ctl/invoke.h"

namespace {

/// Descriptors 0 to 2 must be something: else the connection to the supervisor would become standard output.
void fill_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        // open() takes the lowest free number, which is this one.
        if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    }
}

}  // namespace

int main(int argc, char** argv) {
    fill_standard_descriptors();
    const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return procsup::ctl::invoke(words, procsup::ctl::Surroundings::of_this_process());
}
