#include "conf/toml_doc.h"

#include <toml++/toml.h>

#include <utility>

namespace procsup {
namespace {

Position position_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

TomlValue convert(toml::node& node);

TomlValue::Table convert_table(toml::table& table) {
    TomlValue::Table result;
    result.reserve(table.size());
    for (auto&& [key, node] : table) {
        result.push_back({std::string(key.str()), position_of(key.source()), convert(node)});
    }
    return result;
}

TomlValue::Array convert_array(toml::array& array) {
    TomlValue::Array result;
    result.reserve(array.size());
    for (auto& node : array) result.push_back(convert(node));
    return result;
}

// Recursive: check_text() has bounded the depth.
TomlValue convert(toml::node& node) {
    TomlValue result;
    result.position = position_of(node.source());
    if (auto* table = node.as_table()) {
        result.data = convert_table(*table);
    } else if (auto* array = node.as_array()) {
        result.data = convert_array(*array);
    } else if (auto* text = node.as_string()) {
        result.data = std::move(text->get());
    } else if (auto* integer = node.as_integer()) {
        result.data = integer->get();
    } else if (auto* real = node.as_floating_point()) {
        result.data = real->get();
    } else if (auto* truth = node.as_boolean()) {
        result.data = truth->get();
    } else {
        result.data = TomlValue::Time{};
    }
    return result;
}

}  // namespace

std::string_view type_name(const TomlValue& value) {
    constexpr std::string_view kNames[] = {
        "a string", "an integer", "a number with a fraction", "a boolean", "a date or time", "an array", "a table"};
    return kNames[value.data.index()];
}

const TomlMember* find(const TomlValue::Table& table, std::string_view key) {
    for (const auto& member : table) {
        if (member.key == key) return &member;
    }
    return nullptr;
}

std::variant<TomlValue::Table, SyntaxError> parse_toml(std::string_view text) {
    try {
        auto table = toml::parse(text);
        return convert_table(table);
    } catch (const toml::parse_error& error) {
        return SyntaxError{position_of(error.source()), std::string(error.description())};
    }
}

}  // namespace procsup
