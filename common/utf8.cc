#include "common/utf8.h"

#include <cstdint>
#include <cstring>

namespace procsup {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes at the front of `text` that are ASCII, eight at a time.
std::size_t ascii_prefix(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080u;
    std::size_t length = 0;
    std::uint64_t block = 0;
    while (text.size() - length >= sizeof block) {
        std::memcpy(&block, text.data() + length, sizeof block);
        if ((block & kHighBits) != 0) break;
        length += sizeof block;
    }
    while (length < text.size() && static_cast<unsigned char>(text[length]) < 0x80) ++length;
    return length;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
    if (text.empty()) return 0;
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return 1;
    // 0xC0 and 0xC1 could only begin overlong forms, 0xF5 and above something beyond U+10FFFF.
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90)) return 0;  // overlong
    if (lead == 0xED && second > 0x9F) return 0;                                       // a surrogate
    if (lead == 0xF4 && second > 0x8F) return 0;                                       // beyond U+10FFFF
    return length;
}

std::size_t utf8_cut_short(std::string_view text) {
    for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
        const char byte = text[text.size() - size];
        if (is_continuation(byte)) continue;
        const auto lead = static_cast<unsigned char>(byte);
        const std::size_t wanted = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        return wanted > size ? size : 0;
    }
    return 0;
}

std::string_view utf8_prefix(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    auto end = most;
    while (end > 0 && is_continuation(text[end])) --end;
    return text.substr(0, end);
}

std::string beginning_of(std::string_view text, std::size_t most) {
    const auto prefix = utf8_prefix(text, most);
    return std::string(prefix) + (prefix.size() < text.size() ? "..." : "");
}

bool is_utf8(std::string_view text) {
    for (;;) {
        text.remove_prefix(ascii_prefix(text));
        if (text.empty()) return true;
        const auto length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
}

}  // namespace procsup
