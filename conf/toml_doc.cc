#include "conf/toml_doc.h"

#include <toml++/toml.h>

#include <array>
#include <string>
#include <string_view>
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

/// With what mostly is behind it, where the parser tells only what it found.
std::string with_hint(std::string description) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kHints{{
        {"could not determine value type", "is it a string? It needs quotes"},
        {"unescaped control characters", "is a quote missing at the end of the line?"},
        {"encountered end-of-file", "is a quote or a bracket not closed?"},
        {"cannot redefine", "a key, and a table, is written once"},
    }};
    for (const auto& [found, hint] : kHints) {
        if (description.find(found) != std::string::npos) return description.append(": ").append(hint);
    }
    return description;
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
        return SyntaxError{position_of(error.source()), with_hint(std::string(error.description()))};
    }
}

}  // namespace procsup
