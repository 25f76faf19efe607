#include "daemon/host/broker_process.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "common/packet_socket.h"
#include "daemon/host/own_programs.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

constexpr auto kProgram = "procsup-broker";
constexpr auto kLongestPause = 1000ms;
/// It has nothing to finish.
constexpr auto kPatience = 1000ms;

}  // namespace

BrokerProcess::BrokerProcess(EventLoop& loop, Processes& processes, std::string dir,
                             std::function<void(const std::string&)> told)
    : loop_(loop),
      processes_(processes),
      dir_(std::move(dir)),
      program_(find_own_program(kProgram)),
      told_(std::move(told)) {}

BrokerProcess::~BrokerProcess() = default;

bool BrokerProcess::is_installed() { return !find_own_program(kProgram).empty(); }

void BrokerProcess::serve(Fd listening) {
    listening_ = std::move(listening);
    await_client();
}

void BrokerProcess::await_client() {
    client_watch_ = loop_.watch_fd(listening_.get(), EPOLLIN, Priority::Client, [this](std::uint32_t) { start(); });
    if (!client_watch_) try_again(kLongestPause);
}

void BrokerProcess::try_again(std::chrono::milliseconds pause) {
    again_ = loop_.call_at(loop_.now() + pause, [this] {
        again_.reset();
        await_client();
    });
}

void BrokerProcess::start() {
    client_watch_.reset();
    started_ = loop_.now();
    auto ends = packet_socket_pair();
    if (!ends) return ended(ends.error().message);
    Fd listening(fcntl(listening_.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!listening) return ended(os_failure("duplicate its socket", errno).message);
    connection_.reset(fcntl(ends->first.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    JobSpec spec;
    spec.name = kProgram;
    spec.command = {kProgram, dir_};
    spec.program = program_;
    spec.working_dir = "/";
    running_ = true;
    helper_ = processes_.run_lasting_helper(
        std::move(spec), {std::move(ends->second), std::move(listening), Fd()},
        [this](const Result<ExitStatus>& end) { ended(end ? to_text(*end) : end.error().message); });
    watch_ = loop_.watch_fd(connection_.get(), EPOLLIN, Priority::Client, [this](std::uint32_t) { hear(); });
}

void BrokerProcess::ended(const std::string& how) {
    running_ = false;
    watch_.reset();
    connection_.reset();
    patience_.reset();
    if (finishing_) return;
    const bool lived = loop_.now() - started_ > 1s;
    if (lived || how != last_end_)
        told_("procsup-broker: " + how +
              "; nobody holds what it has given any more, and it is started again for the next client");
    last_end_ = how;
    pause_ = lived ? 0ms : std::min<std::chrono::milliseconds>(pause_ * 2 + 5ms, kLongestPause);
    try_again(pause_);
}

void BrokerProcess::hear() {
    Packet packet;
    for (;;) {
        const auto received = receive_packet(connection_.get(), packet);
        if (received == Received::Nothing) return;
        if (received == Received::End) break;
        told_("procsup-broker: " + packet.text);
    }
    // What follows is told by its end.
    watch_.reset();
}

void BrokerProcess::finish() {
    if (std::exchange(finishing_, true)) return;
    client_watch_.reset();
    again_.reset();
    watch_.reset();
    connection_.reset();
    if (running_) patience_ = loop_.call_at(loop_.now() + kPatience, [this] { processes_.kill_helper(helper_); });
}

}  // namespace procsup
