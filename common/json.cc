#include "common/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "common/utf8.h"

namespace procsup::json {
namespace {

void append_escaped_byte(std::string& text, unsigned char byte) {
    switch (byte) {
        case '"': text += "\\\""; return;
        case '\\': text += "\\\\"; return;
        case '\n': text += "\\n"; return;
        case '\r': text += "\\r"; return;
        case '\t': text += "\\t"; return;
        default: break;
    }
    constexpr std::string_view kHex = "0123456789abcdef";
    text += "\\u00";
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
}

bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/// is_plain() for eight bytes at once. A subtraction sets the high bit of a byte that had it not and was too small; what it
/// borrows from the next byte matters only where one was found.
bool are_plain(std::uint64_t bytes) {
    constexpr std::uint64_t kEach = 0x0101010101010101;
    const auto quotes = bytes ^ (kEach * '"');
    const auto backslashes = bytes ^ (kEach * '\\');
    const auto controls = (bytes - kEach * 0x20) & ~bytes;
    const auto special = ((quotes - kEach) & ~quotes) | ((backslashes - kEach) & ~backslashes) | controls | bytes;
    return (special & (kEach * 0x80)) == 0;
}

/// Bytes at the front that stand for themselves.
std::size_t plain_run(std::string_view text) {
    std::size_t run = 0;
    for (std::uint64_t bytes = 0; run + sizeof(bytes) <= text.size(); run += sizeof(bytes)) {
        memcpy(&bytes, text.data() + run, sizeof(bytes));
        if (!are_plain(bytes)) break;
    }
    while (run < text.size() && is_plain(text[run])) ++run;
    return run;
}

}  // namespace

void append_escaped(std::string& text, std::string_view value) {
    while (!value.empty()) {
        const auto run = plain_run(value);
        text.append(value.substr(0, run));
        value.remove_prefix(run);
        if (value.empty()) break;
        std::size_t used = 1;
        if (static_cast<unsigned char>(value[0]) < 0x80) {
            append_escaped_byte(text, static_cast<unsigned char>(value[0]));
        } else if (const auto length = utf8_sequence(value); length > 0) {
            text.append(value.substr(0, length));
            used = length;
        } else {
            text += "\xEF\xBF\xBD";  // U+FFFD
        }
        value.remove_prefix(used);
    }
}

const Value* Value::find(std::string_view key) const {
    const auto* object = as_object();
    if (object == nullptr) return nullptr;
    for (const auto& [name, value] : *object) {
        if (name == key) return value.is_null() ? nullptr : &value;
    }
    return nullptr;
}

Value Value::take(std::string_view key) {
    if (auto* object = std::get_if<Object>(&data_)) {
        for (auto& [name, value] : *object) {
            if (name == key) return std::exchange(value, Value());
        }
    }
    return {};
}

std::string_view Value::string_or(std::string_view key, std::string_view otherwise) const {
    const auto* value = find(key);
    const auto* text = value != nullptr ? value->as_string() : nullptr;
    return text != nullptr ? std::string_view(*text) : otherwise;
}

std::int64_t Value::int_or(std::string_view key, std::int64_t otherwise) const {
    const auto* value = find(key);
    const auto* number = value != nullptr ? value->as_int() : nullptr;
    return number != nullptr ? *number : otherwise;
}

bool Value::bool_or(std::string_view key, bool otherwise) const {
    const auto* value = find(key);
    const auto* truth = value != nullptr ? value->as_bool() : nullptr;
    return truth != nullptr ? *truth : otherwise;
}

std::string to_text(const Value& value) { return Writer().value(value).take(); }

void Writer::separate() {
    if (need_comma_) text_ += ',';
    need_comma_ = true;
}

Writer& Writer::begin_object() {
    separate();
    text_ += '{';
    need_comma_ = false;
    return *this;
}

Writer& Writer::end_object() {
    text_ += '}';
    need_comma_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    separate();
    text_ += '[';
    need_comma_ = false;
    return *this;
}

Writer& Writer::end_array() {
    text_ += ']';
    need_comma_ = true;
    return *this;
}

Writer& Writer::key(std::string_view name) {
    separate();
    text_ += '\"';
    append_escaped(text_, name);
    text_ += '\"';
    text_ += ':';
    need_comma_ = false;
    return *this;
}

Writer& Writer::string(std::string_view value) {
    separate();
    text_ += '\"';
    append_escaped(text_, value);
    text_ += '\"';
    return *this;
}

Writer& Writer::number(std::int64_t value) {
    separate();
    std::array<char, 24> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    text_.append(digits.data(), end);
    return *this;
}

Writer& Writer::real(double value) {
    // JSON has no word for infinity and not-a-number.
    if (value - value != 0) return null();
    separate();
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    const std::string_view number(digits.data(), static_cast<std::size_t>(end - digits.data()));
    text_.append(number);
    if (number.find_first_of(".e") == std::string_view::npos) text_ += ".0";  // so that it is read back as a double
    return *this;
}

Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }

Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json) {
    separate();
    text_.append(json);
    return *this;
}

// Recursive, and so as deep as the tree: one that was read is at most kMaxDepth levels.
Writer& Writer::value(const Value& value) {
    if (const auto* truth = value.as_bool()) return boolean(*truth);
    if (const auto* integer = value.as_int()) return number(*integer);
    if (const auto* fraction = value.as_double()) return real(*fraction);
    if (const auto* text = value.as_string()) return string(*text);
    if (const auto* array = value.as_array()) {
        begin_array();
        for (const auto& element : *array) this->value(element);
        return end_array();
    }
    if (const auto* object = value.as_object()) {
        begin_object();
        for (const auto& [name, member] : *object) key(name).value(member);
        return end_object();
    }
    return null();
}

std::string Writer::take() {
    need_comma_ = false;
    return std::exchange(text_, std::string());
}

}  // namespace procsup::json
