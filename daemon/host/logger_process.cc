#include "daemon/host/logger_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/host/own_programs.h"
#include "daemon/host/processes.h"
#include "daemon/logger/memory.h"
#include "daemon/logger/protocol.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// Each holds a descriptor here while the logger takes nothing.
constexpr std::ptrdiff_t kMostGifts = 64;
constexpr auto kLongestPause = std::chrono::milliseconds(250);
/// A disk that is only slow is not worth a word.
constexpr Duration kStuck = 1s;

/// Low numbers are for the standard streams of children.
Fd kept(int number) {
    Fd low(number);
    return Fd(fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
}

}  // namespace

std::string logger_fault() {
    if (find_own_program("procsup-logger").empty()) return "cannot find the program procsup-logger";
    auto file = logger::Memory::create();
    if (!file) return file.error().message;
    const auto memory = logger::Memory::map(*file);
    if (!memory) return memory.error().message;
    munmap(*memory, sizeof(logger::Memory));
    return {};
}

LoggerProcess::LoggerProcess(EventLoop& loop, Processes& processes, std::string disk, Hooks hooks)
    : loop_(loop),
      processes_(processes),
      disk_(std::move(disk)),
      hooks_(std::move(hooks)),
      program_(find_own_program("procsup-logger")) {}

LoggerProcess::~LoggerProcess() = default;

Result<void> LoggerProcess::prepare() {
    if (program_.empty()) return os_failure("find the program procsup-logger", ENOENT);
    if (memory_ == nullptr) {
        if (auto made = make_memory(); !made) return made;
    }
    if (!running_ && !again_) start();
    return {};
}

Result<void> LoggerProcess::make_memory() {
    auto file = logger::Memory::create();
    if (!file) return file.error();
    auto memory = logger::Memory::map(*file);
    if (!memory) return memory.error();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    fcntl(ends[0], F_SETPIPE_SZ, logger::Batch::kSize);
    staging_in_ = kept(ends[1]);
    staging_out_ = kept(ends[0]);
    memory_file_ = kept(file->release());
    memory_ = *memory;
    return {};
}

void LoggerProcess::start() {
    auto ends = packet_socket_pair();
    if (!ends) return ended(ends.error().message);
    socket_ = kept(ends->first.release());
    running_ = true;
    started_ = loop_.now();
    untold_.clear();
    memory_->busy_since.store(0, std::memory_order_relaxed);
    queue({std::string(logger::kBeginPacket), {memory_file_.get(), staging_in_.get(), staging_out_.get()}, Fd()});
    hooks_.begun();
    if (finishing_) tell(std::string(logger::kEndPacket));
    JobSpec spec;
    spec.name = "procsup-logger";
    spec.command = {"procsup-logger", disk_};
    spec.program = program_;
    spec.working_dir = "/";
    processes_.run_lasting_helper(std::move(spec), {std::move(ends->second), Fd(), Fd()},
                                  [this](const Result<ExitStatus>& end) {
                                      if (end && end->success() && finishing_) {
                                          running_ = false;
                                          watch_.reset();
                                          return;
                                      }
                                      ended(end ? to_text(*end) : end.error().message);
                                  });
    flush();
}

void LoggerProcess::ended(const std::string& how) {
    running_ = false;
    watch_.reset();
    socket_.reset();
    const bool lived = loop_.now() - started_ > 1s;
    if (lived || how != last_end_) {
        hooks_.told("procsup-logger: " + how + "; it is started again, what jobs write waits in their pipes");
    }
    last_end_ = how;
    pause_ = lived ? 0ms : std::min<std::chrono::milliseconds>(pause_ * 2 + 5ms, kLongestPause);
    again_ = loop_.call_at(loop_.now() + pause_, [this] {
        again_.reset();
        start();
    });
}

void LoggerProcess::tell(std::string text) {
    if (running_) queue({std::move(text), {}, Fd()});
}

void LoggerProcess::tell_lending(std::string text, int fd) {
    if (running_) queue({std::move(text), {fd}, Fd()});
}

Result<void> LoggerProcess::tell_giving(std::string text, Fd fd) {
    const auto waiting =
        std::count_if(untold_.begin(), untold_.end(), [](const Message& message) { return bool(message.owned); });
    if (waiting >= kMostGifts) return Error{"procsup-logger does not answer: it may wait for a disk", EBUSY};
    queue({std::move(text), {}, std::move(fd)});
    return {};
}

void LoggerProcess::queue(Message message) {
    untold_.push_back(std::move(message));
    flush();
}

void LoggerProcess::flush() {
    if (!running_ || !socket_) return;
    while (!untold_.empty()) {
        auto& message = untold_.front();
        if (message.owned) message.lent = {message.owned.get()};
        if (send_packet(socket_.get(), message.text, message.lent) == Sent::Later) break;
        untold_.pop_front();
    }
    const std::uint32_t events = untold_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (watch_) {
        watch_->set_events(events);
    } else {
        watch_ = loop_.watch_fd(socket_.get(), events, Priority::Client, [this](std::uint32_t) { hear(); });
    }
}

void LoggerProcess::hear() {
    Packet packet;
    for (;;) {
        const auto received = receive_packet(socket_.get(), packet);
        if (received == Received::Nothing) break;
        if (received == Received::End) {
            // What follows is told by its end.
            watch_.reset();
            socket_.reset();
            return;
        }
        if (const auto value = json::parse(packet.text)) hooks_.heard(*value);
    }
    flush();
}

Duration LoggerProcess::stuck() const {
    if (!running_ || memory_ == nullptr) return Duration::zero();
    const auto since = memory_->busy_since.load(std::memory_order_relaxed);
    if (since == 0) return Duration::zero();
    const auto lasts = loop_.now().time_since_epoch() - Duration(since);
    return lasts >= kStuck ? lasts : Duration::zero();
}

void LoggerProcess::finish() {
    if (std::exchange(finishing_, true)) return;
    tell(std::string(logger::kEndPacket));
}

}  // namespace procsup
