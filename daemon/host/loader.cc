#include "daemon/host/loader.h"

#include <malloc.h>

#include <utility>

namespace procsup {
namespace {

/// More than any configuration within the reader's own limits; a child that sends more is broken.
constexpr std::size_t kMostOutput = 256u << 20;

}  // namespace

Loader::Loader(SdEventLoop& loop, Processes& processes, ConfigPaths config, DaemonPlaces places)
    : helper_(loop, processes), config_(std::move(config)), places_(std::move(places)) {}

void Loader::load(Loaded loaded) {
    waiting_.push_back(std::move(loaded));
    if (current_.empty()) begin();
}

void Loader::when_idle(std::function<void()> then) {
    if (current_.empty()) return then();
    then_.push_back(std::move(then));
}

void Loader::next() {
    if (!waiting_.empty()) return begin();
    for (const auto& then : std::exchange(then_, {})) then();
}

void Loader::begin() {
    current_ = std::exchange(waiting_, {});
    std::vector<std::string> words{"--load",
                                   places_.state_dir,
                                   places_.default_state_dir,
                                   places_.log_dir,
                                   places_.default_log_dir,
                                   places_.log_fault,
                                   places_.shows_lines ? "shows-lines" : "",
                                   config_.may_be_absent ? "may-be-absent" : ""};
    words.insert(words.end(), config_.paths.begin(), config_.paths.end());
    helper_.run(helper_spec("procsupd --load", words), Fd(), kMostOutput,
                [this](Result<std::string> output) { finish(std::move(output)); });
}

void Loader::finish(Result<std::string> output) {
    if (!output) return fail("the process that reads the configuration ended: " + output.error().message);
    auto result = decode_load_result(*output);
    *output = std::string();
    if (!result) return fail(result.error().message);
    auto waiting = std::exchange(current_, {});
    for (std::size_t i = 0; i + 1 < waiting.size(); ++i) waiting[i](*result);
    waiting.back()(std::move(*result));
    // The text and its tree were many times what is kept of them.
    malloc_trim(0);
    next();
}

void Loader::fail(std::string message) {
    const std::vector<Problem> problems{{config_.text(), 0, 0, std::move(message)}};
    for (const auto& loaded : std::exchange(current_, {})) loaded(problems);
    next();
}

}  // namespace procsup
