#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/result.h"

/// JSON as this project speaks it: UTF-8, at most 32 levels deep, integers of 64 bits. The only place that
/// knows the JSON library (RapidJSON).
namespace procsup::json {

/// One JSON value, owned. Objects keep the order of their members.
class Value {
public:
    using Array = std::vector<Value>;
    using Member = std::pair<std::string, Value>;
    using Object = std::vector<Member>;

    Value() = default;
    Value(bool value) : data_(value) {}
    Value(std::int64_t value) : data_(value) {}
    Value(double value) : data_(value) {}
    Value(std::string value) : data_(std::move(value)) {}
    Value(Array value) : data_(std::move(value)) {}
    Value(Object value) : data_(std::move(value)) {}

    bool is_null() const { return std::holds_alternative<std::monostate>(data_); }

    // Each gives nullptr when the value is of another type.
    const bool* as_bool() const { return std::get_if<bool>(&data_); }
    const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
    const double* as_double() const { return std::get_if<double>(&data_); }
    const std::string* as_string() const { return std::get_if<std::string>(&data_); }
    const Array* as_array() const { return std::get_if<Array>(&data_); }
    const Object* as_object() const { return std::get_if<Object>(&data_); }

    /// The member `key` of an object; nullptr when this is no object, has no such member, or it is null
    /// (absent and null mean the same everywhere in the protocol).
    const Value* find(std::string_view key) const;
    /// Moves the first member `key` out of an object; null when there is none.
    Value take(std::string_view key);

    // The member's value when it is there and of that type, else `otherwise`.
    std::string_view string_or(std::string_view key, std::string_view otherwise) const;
    std::int64_t int_or(std::string_view key, std::int64_t otherwise) const;
    bool bool_or(std::string_view key, bool otherwise) const;

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

/// Levels of objects and arrays that parse() accepts.
inline constexpr std::size_t kMaxDepth = 32;
/// Values and members in one text that parse() accepts: a text of brackets must not grow to many times its size.
inline constexpr std::size_t kMaxValues = 1u << 20;

/// Reads exactly one value. Errors: not JSON, bytes after the value, not UTF-8, deeper than kMaxDepth, more than
/// kMaxValues, an integer beyond 64 bits.
Result<Value> parse(std::string_view text);

/// Writes `value` out again, compactly.
std::string to_text(const Value& value);

/// Appends `value` as it stands within the quotes of a string; bytes that are not UTF-8 become U+FFFD.
void append_escaped(std::string& text, std::string_view value);

/// Appends JSON to a buffer, in order, without building a tree. Commas are placed by the writer; bytes that
/// are not UTF-8 become U+FFFD. Ending what was not begun is a programming error.
class Writer {
public:
    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    /// The name of the next member; follow it by exactly one value.
    Writer& key(std::string_view name);

    Writer& string(std::string_view value);
    Writer& number(std::int64_t value);
    Writer& real(double value);
    Writer& boolean(bool value);
    Writer& null();
    /// A value already written as JSON.
    Writer& raw(std::string_view json);
    Writer& value(const Value& value);

    // key() and a value in one.
    Writer& member(std::string_view name, std::string_view value) { return key(name).string(value); }
    Writer& member_int(std::string_view name, std::int64_t value) { return key(name).number(value); }
    Writer& member_bool(std::string_view name, bool value) { return key(name).boolean(value); }
    Writer& member_null(std::string_view name) { return key(name).null(); }

    const std::string& text() const { return text_; }
    /// Gives the text away and starts anew.
    std::string take();

private:
    void separate();

    std::string text_;
    bool need_comma_ = false;
};

}  // namespace procsup::json
