#include "conf/readiness.h"

#include "common/utf8.h"

namespace procsup {
namespace {

/// Of an expression or a command that somebody has written, at most.
constexpr std::size_t kMostOfLine = 100;
constexpr std::size_t kMostOfCommand = 48;

std::string command_text(const Readiness& readiness) {
    const auto words = command_of_probe(readiness);
    if (words.empty()) return readiness.target;
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return beginning_of(text, kMostOfCommand);
}

/// Of a page, behind the '?' there may be what not everybody is to know.
std::string shown_target(const Readiness& readiness) {
    if (readiness.kind == Readiness::Kind::LogLine) return beginning_of(readiness.target, kMostOfLine);
    if (readiness.kind == Readiness::Kind::Http) return readiness.target.substr(0, readiness.target.find('?'));
    if (readiness.kind == Readiness::Kind::Exec) return command_text(readiness);
    return readiness.target;
}

}  // namespace

std::string to_text(const Readiness& readiness) {
    std::string text(word_of(readiness.kind));
    if (readiness.kind == Readiness::Kind::Fd) text += " " + std::to_string(readiness.fd);
    if (!readiness.target.empty()) text += " " + shown_target(readiness);
    return text;
}

}  // namespace procsup
