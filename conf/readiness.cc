#include "conf/readiness.h"

namespace procsup {

std::string to_text(const Readiness& readiness) {
    std::string text(word_of(readiness.kind));
    // Behind the '?' there may be what not everybody is to know.
    const bool page = readiness.kind == Readiness::Kind::Http;
    if (!readiness.target.empty())
        text += " " + readiness.target.substr(0, page ? readiness.target.find('?') : std::string::npos);
    return text;
}

}  // namespace procsup
