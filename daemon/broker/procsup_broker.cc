// procsup-broker: serves what processes coordinate themselves by. Its standard input is a connection to procsupd, at whose end it
// ends, its standard output the socket that it listens on, its argument the directory for what must last.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>

#include "common/open_files.h"
#include "common/packet_socket.h"
#include "daemon/broker/broker.h"
#include "daemon/broker/tokens.h"
#include "daemon/loop/sd_event_loop.h"

namespace {

using namespace procsup;

/// What is sent to a whole session or container does not end it before procsupd.
void ignore_signals() {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT}) signal(number, SIG_IGN);
}

/// For procsupd's log.
void tell(const std::string& what) { send_packet(STDIN_FILENO, what); }

/// A disk that hangs does not hold up those who wait for locks: then the clock is relied upon.
broker::Token first_token(const std::string& dir) {
    std::promise<Result<broker::Token>> promise;
    auto reserved = promise.get_future();
    std::thread([dir, promise = std::move(promise)]() mutable {
        promise.set_value(broker::reserve_tokens(dir));
    }).detach();
    std::string why = "the disk does not answer";
    if (reserved.wait_for(std::chrono::seconds(3)) == std::future_status::ready) {
        const auto first = reserved.get();
        if (first) return *first;
        why = first.error().message;
    }
    tell("fencing tokens grow by the clock alone, and not when that is set back: " + why);
    return broker::clock_token();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "procsup-broker is started by procsupd\n");
        return EXIT_FAILURE;
    }
    ignore_signals();
    // A connection for each that waits, a pidfd for each process.
    raise_open_files();
    auto made = SdEventLoop::create();
    if (!made) {
        tell(made.error().message);
        return EXIT_FAILURE;
    }
    auto& loop = **made;
    broker::Broker broker(loop, Fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)), first_token(argv[1]), PROCSUP_VERSION);
    const auto life = loop.watch_fd(STDIN_FILENO, EPOLLIN, Priority::SpawnResult, [&](std::uint32_t) { loop.end(0); });
    loop.set_after_callback([&] { broker.settle(); });
    loop.set_on_failure([](std::string_view what) { tell("internal error: " + std::string(what)); });
    const auto code = loop.run();
    // A disk that hangs is not waited for.
    _exit(code ? *code : EXIT_FAILURE);
}
