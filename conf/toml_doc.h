#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// TOML as this project reads it: a small tree of its own in which every key and value knows its place. The only
/// place that knows the TOML library is toml_doc.cc.
namespace procsup {

/// From 1; the column in code points as toml++ counts them. Problems turns it into bytes.
struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

struct TomlMember;

struct TomlValue {
    struct Time {};  ///< dates and times: no setting is one
    using Array = std::vector<TomlValue>;
    using Table = std::vector<TomlMember>;

    Position position;
    std::variant<std::string, std::int64_t, double, bool, Time, Array, Table> data;

    template <typename T>
    const T* as() const {
        return std::get_if<T>(&data);
    }
};

struct TomlMember {
    std::string key;
    Position position;  ///< of the key
    TomlValue value;
};

/// "a string", "an integer", …: what stands there instead of what should.
std::string_view type_name(const TomlValue& value);

/// The member `key` of `table`, or nullptr.
const TomlMember* find(const TomlValue::Table& table, std::string_view key);

struct SyntaxError {
    Position position;
    std::string message;
};

/// Reads a text that check_text() (toml_guard.h) has let pass.
std::variant<TomlValue::Table, SyntaxError> parse_toml(std::string_view text);

}  // namespace procsup
