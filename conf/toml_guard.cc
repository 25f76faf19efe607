#include "conf/toml_guard.h"

#include <algorithm>
#include <string>

#include "common/utf8.h"

namespace procsup {
namespace {

/// Follows strings, comments and brackets of a TOML text, without building anything. Where the text is not TOML it may
/// judge wrongly, which does no harm: the parser stops at the first error and never comes to what is behind.
class NestingScan {
public:
    explicit NestingScan(std::string_view text) : text_(text) {}

    /// The offset of the first bracket or dot that is too deep.
    std::optional<std::size_t> too_deep() {
        while (at_ < text_.size()) {
            const std::size_t here = at_;
            if (!step()) return here;
        }
        return std::nullopt;
    }

private:
    /// Passes one character, string or comment; false at one too deep.
    bool step() {
        switch (text_[at_]) {
            case '#': at_ = std::min(text_.find('\n', at_), text_.size()); return true;
            case '"':
            case '\'': skip_string(text_[at_]); return true;
            case '[':
            case '{':
                ++at_;
                dots_ = 0;
                return ++depth_ <= kMostNesting;
            case ']':
            case '}':
                if (depth_ > 0) --depth_;
                break;
            case '.': ++at_; return ++dots_ <= kMostNesting;
            case '\n':
            case '=':
            case ',': dots_ = 0; break;
            default: break;
        }
        ++at_;
        return true;
    }

    void skip_string(char quote) {
        const std::string_view rest = text_.substr(at_);
        const bool multi_line = rest.size() >= 3 && rest[1] == quote && rest[2] == quote;
        at_ += multi_line ? 3 : 1;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                ++at_;
            } else if (c == '\n' && !multi_line) {
                return;
            } else if (c == quote && !multi_line) {
                ++at_;
                return;
            } else if (c == quote && text_.substr(at_, 3) == std::string(3, quote)) {
                at_ += 3;
                // Up to two quotes may stand before the three that close.
                for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
                return;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t dots_ = 0;
};

/// Columns before a bad byte are counted in bytes: there is no telling what the code points were meant to be.
SyntaxError at_offset(std::string_view text, std::size_t offset, std::string message) {
    const auto before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto start = before.rfind('\n');
    const auto column = start == std::string_view::npos ? offset + 1 : offset - start;
    return {{static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)}, std::move(message)};
}

std::size_t first_bad_byte(std::string_view text) {
    std::size_t offset = 0;
    while (offset < text.size()) {
        const auto length = utf8_sequence(text.substr(offset));
        if (length == 0) break;
        offset += length;
    }
    return offset;
}

}  // namespace

std::optional<SyntaxError> check_text(std::string_view text) {
    if (!is_utf8(text)) return at_offset(text, first_bad_byte(text), "not UTF-8");
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        return at_offset(text, nul, "a NUL byte: not a text file");
    }
    if (const auto offset = NestingScan(text).too_deep()) {
        return at_offset(text, *offset, "nested more than " + std::to_string(kMostNesting) + " levels deep");
    }
    return std::nullopt;
}

}  // namespace procsup
