#include "ctl/text.h"

#include <time.h>

#include <algorithm>
#include <array>

#include "common/utf8.h"

namespace procsup::ctl {
namespace {

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

void append_hex(std::string& to, unsigned value, int digits) {
    constexpr std::string_view kHex = "0123456789abcdef";
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) to += kHex[(value >> shift) & 15u];
}

unsigned code_point(std::string_view sequence) {
    if (sequence.size() == 1) return byte_at(sequence, 0);
    unsigned code = byte_at(sequence, 0) & (0xffu >> (sequence.size() + 1));
    for (std::size_t i = 1; i < sequence.size(); ++i) code = (code << 6) | (byte_at(sequence, i) & 0x3fu);
    return code;
}

/// C1 controls act like escape sequences on some terminals; direction marks can make a name read as another.
bool steers_terminal(unsigned code) {
    return (code >= 0x80 && code <= 0x9f) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0x200e || code == 0x200f || code == 0x2028 || code == 0x2029 || code == 0xfeff;
}

std::string formatted_time(std::int64_t realtime_usec, const char* format) {
    const time_t seconds = static_cast<time_t>(realtime_usec / 1'000'000);
    struct tm fields {};
    if (localtime_r(&seconds, &fields) == nullptr) return "?";
    std::array<char, 64> text{};
    return {text.data(), strftime(text.data(), text.size(), format, &fields)};
}

}  // namespace

std::string escaped(std::string_view text, bool keep_lines) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        const unsigned char first = byte_at(text, 0);
        if (length == 1 && (first < 0x20 || first == 0x7f)) {
            if (keep_lines && (first == '\n' || first == '\t')) {
                result += text[0];
            } else {
                result += "\\x";
                append_hex(result, first, 2);
            }
        } else if (length == 0) {
            result += "\\x";
            append_hex(result, first, 2);
        } else if (const unsigned code = code_point(text.substr(0, length)); steers_terminal(code)) {
            result += "\\u";
            append_hex(result, code, 4);
        } else {
            result.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80; }));
}

std::string snake_case(std::string_view name) {
    std::string result;
    result.reserve(name.size() + 4);
    for (std::size_t i = 0; i < name.size(); ++i) {
        // A word begins at a capital behind a small letter or digit; "USec" is one word: its S follows a capital.
        if (is_upper(name[i]) && i > 0 && !is_upper(name[i - 1]) && name[i - 1] != '_') result += '_';
        result += to_lower(name[i]);
    }
    return result;
}

void write_snake_case(const json::Value& value, json::Writer& writer) {
    if (const auto* object = value.as_object()) {
        writer.begin_object();
        for (const auto& [name, member] : *object) {
            writer.key(snake_case(name));
            write_snake_case(member, writer);
        }
        writer.end_object();
    } else if (const auto* array = value.as_array()) {
        writer.begin_array();
        for (const auto& element : *array) write_snake_case(element, writer);
        writer.end_array();
    } else {
        writer.value(value);
    }
}

std::string age_text(Duration duration) {
    const std::int64_t seconds = std::max<std::int64_t>(duration.count() / 1'000'000, 0);
    const auto two = [](std::int64_t large, const char* large_unit, std::int64_t small, const char* small_unit) {
        return std::to_string(large) + large_unit + " " + std::to_string(small) + small_unit;
    };
    if (seconds < 60) return std::to_string(seconds) + "s";
    if (seconds < 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 86400) return two(seconds / 3600, "h", seconds % 3600 / 60, "m");
    return two(seconds / 86400, "d", seconds % 86400 / 3600, "h");
}

std::string run_time_text(Duration duration) {
    if (duration >= std::chrono::minutes(1)) return to_text(duration);
    const std::int64_t tenths = (std::max<std::int64_t>(duration.count(), 0) + 50'000) / 100'000;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "s";
}

std::string clock_text(std::int64_t realtime_usec) { return formatted_time(realtime_usec, "%H:%M:%S"); }

std::string date_text(std::int64_t realtime_usec) { return formatted_time(realtime_usec, "%a %Y-%m-%d %H:%M:%S %Z"); }

std::string moment_text(std::int64_t realtime_usec) { return formatted_time(realtime_usec, "%Y-%m-%d %H:%M:%S"); }

bool natural_less(std::string_view a, std::string_view b) {
    std::size_t i = 0;
    std::size_t k = 0;
    while (i < a.size() && k < b.size()) {
        if (!is_digit(a[i]) || !is_digit(b[k])) {
            if (a[i] != b[k]) return byte_at(a, i) < byte_at(b, k);
            ++i;
            ++k;
            continue;
        }
        const auto number = [](std::string_view text, std::size_t& at) {
            const std::size_t begin = at;
            while (at < text.size() && is_digit(text[at])) ++at;
            std::string_view digits = text.substr(begin, at - begin);
            digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
            return digits;
        };
        const std::string_view left = number(a, i);
        const std::string_view right = number(b, k);
        if (left.size() != right.size()) return left.size() < right.size();
        if (left != right) return left < right;
    }
    if (a.size() - i != b.size() - k) return a.size() - i < b.size() - k;
    return a < b;  // "a1" and "a01": equal as numbers, still in one order
}

std::string shell_quoted(std::string_view text) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c;
        }
    }
    return result + "'";
}

const json::Value::Array& list_in(const json::Value& value, std::string_view name) {
    static const json::Value::Array kNone;
    const auto* list = value.find(name);
    return list == nullptr || list->as_array() == nullptr ? kNone : *list->as_array();
}

}  // namespace procsup::ctl
