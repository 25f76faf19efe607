// procsup-logger: writes what jobs write. Its standard input is the connection to procsupd (protocol.h).
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "common/open_files.h"
#include "daemon/logger/logger.h"
#include "daemon/loop/sd_event_loop.h"

namespace {

/// It ends when procsupd does and all is written; what is sent to a whole session or container does not end it before.
void ignore_signals() {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGXFSZ}) signal(number, SIG_IGN);
}

}  // namespace

int main() {
    using namespace procsup;
    ignore_signals();
    // A pipe and a file for each stream.
    raise_open_files();
    umask(0022);
    auto loop = SdEventLoop::create();
    if (!loop) {
        fprintf(stderr, "procsup-logger: %s\n", loop.error().message.c_str());
        return EXIT_FAILURE;
    }
    Fd control(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    logger::Logger logger(**loop, std::move(control), [&](int code) { (*loop)->end(code); });
    (*loop)->set_before_callback([&](TimePoint now) { logger.turn_begins(now); });
    (*loop)->set_after_callback([&] { logger.turn_ends(); });
    const auto code = (*loop)->run();
    // A compression that waits for a disk is not waited for: it is begun anew by the next logger.
    _exit(code ? *code : EXIT_FAILURE);
}
