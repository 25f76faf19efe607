#include "daemon/host/loader.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace procsup {
namespace {

/// More than any configuration within the reader's own limits; a child that sends more is broken.
constexpr std::size_t kMostOutput = 256u << 20;

std::vector<std::string> own_environment() {
    std::vector<std::string> result;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) result.emplace_back(*entry);
    return result;
}

/// Verbatim: nothing in it is a placeholder.
std::string verbatim(std::string_view text) {
    std::string result(text);
    for (auto at = result.find("${"); at != std::string::npos; at = result.find("${", at + 3)) result.insert(at, "$");
    return result;
}

}  // namespace

Loader::Loader(SdEventLoop& loop, Processes& processes, std::string config_path, std::string state_dir)
    : loop_(loop), processes_(processes), config_path_(std::move(config_path)), state_dir_(std::move(state_dir)) {}

void Loader::load(Loaded loaded) {
    waiting_.push_back(std::move(loaded));
    if (current_.empty()) begin();
}

void Loader::begin() {
    current_ = std::exchange(waiting_, {});
    received_.clear();
    end_of_output_ = false;
    ended_.reset();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        fail(os_failure("create a pipe for the configuration", errno).message);
        return;
    }
    pipe_.reset(ends[0]);
    fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);

    JobSpec spec;
    spec.name = "procsupd --load";
    spec.command = {"procsupd", "--load", verbatim(config_path_), verbatim(state_dir_)};
    spec.program = "/proc/self/exe";
    for (const auto& entry : own_environment()) spec.env.push_back(verbatim(entry));
    spec.working_dir = ".";
    watch_ = loop_.watch_fd(pipe_.get(), EPOLLIN, Priority::SpawnResult, [this](std::uint32_t) { read_some(); });
    processes_.run_helper(std::move(spec), StandardFds{Fd(), Fd(ends[1]), Fd()}, [this](Result<ExitStatus> ended) {
        ended_ = std::move(ended);
        finish_if_done();
    });
}

void Loader::read_some() {
    char buffer[65536];
    const ssize_t size = read(pipe_.get(), buffer, sizeof(buffer));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0 && received_.size() + static_cast<std::size_t>(size) <= kMostOutput) {
        received_.append(buffer, static_cast<std::size_t>(size));
        return;
    }
    watch_.reset();
    pipe_.reset();
    end_of_output_ = true;
    finish_if_done();
}

void Loader::finish_if_done() {
    if (!ended_) return;
    if (!*ended_) {
        watch_.reset();
        fail(ended_->error().message);
        return;
    }
    if (!end_of_output_) return;
    if (!(*ended_)->success()) {
        fail("the process that reads the configuration ended: " + to_text(**ended_));
        return;
    }
    auto result = decode_load_result(received_);
    received_ = std::string();
    if (!result) {
        fail(result.error().message);
        return;
    }
    auto waiting = std::exchange(current_, {});
    for (std::size_t i = 0; i + 1 < waiting.size(); ++i) waiting[i](*result);
    waiting.back()(std::move(*result));
    // The text and its tree were many times what is kept of them.
    malloc_trim(0);
    if (!waiting_.empty()) begin();
}

void Loader::fail(std::string message) {
    const std::vector<Problem> problems{{config_path_, 0, 0, std::move(message)}};
    for (const auto& loaded : std::exchange(current_, {})) loaded(problems);
    if (!waiting_.empty()) begin();
}

}  // namespace procsup
