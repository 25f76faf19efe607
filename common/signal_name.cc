#include "common/signal_name.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace procsup {
namespace {

std::optional<int> parse_number(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return result;
}

}  // namespace

std::string signal_name(int signal) {
    if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
        return signal == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
    }
    const char* name = sigabbrev_np(signal);
    return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

std::optional<int> parse_signal(std::string_view text) {
    if (const auto number = parse_number(text)) {
        if (*number >= 1 && *number <= SIGRTMAX) return number;
        return std::nullopt;
    }
    std::string name = upper(text);
    if (name.starts_with("SIG")) name.erase(0, 3);
    if (name.starts_with("RTMIN")) {
        if (name == "RTMIN") return SIGRTMIN;
        if (name.size() < 7 || name[5] != '+') return std::nullopt;
        const auto offset = parse_number(std::string_view(name).substr(6));
        if (!offset || *offset < 0 || *offset > SIGRTMAX - SIGRTMIN) return std::nullopt;
        return SIGRTMIN + *offset;
    }
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* known = sigabbrev_np(signal);
        if (known != nullptr && name == known) return signal;
    }
    return std::nullopt;
}

bool ends_by_default(int signal) {
    constexpr std::array kNotEnding{SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGCHLD, SIGURG, SIGWINCH};
    return std::find(kNotEnding.begin(), kNotEnding.end(), signal) == kNotEnding.end();
}

}  // namespace procsup
