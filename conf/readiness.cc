#include "conf/readiness.h"

namespace procsup {
namespace {

/// Of an expression that somebody has written, at most.
constexpr std::size_t kMostShown = 100;

std::string shortened(std::string text) {
    if (text.size() <= kMostShown) return text;
    std::size_t end = kMostShown;
    while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end) + "...";
}

/// Of a page, behind the '?' there may be what not everybody is to know.
std::string shown_target(const Readiness& readiness) {
    if (readiness.kind == Readiness::Kind::LogLine) return shortened(readiness.target);
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
