#include "conf/readiness.h"

#include "common/utf8.h"

namespace procsup {
namespace {

/// Of an expression that somebody has written, at most.
constexpr std::size_t kMostOfLine = 100;

/// Of a command its program alone: in its arguments there may be what not everybody is to know, and behind the '?' of a page.
std::string shown_target(const Readiness& readiness) {
    if (readiness.kind == Readiness::Kind::LogLine) return beginning_of(readiness.target, kMostOfLine);
    if (readiness.kind == Readiness::Kind::Http) return readiness.target.substr(0, readiness.target.find('?'));
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
