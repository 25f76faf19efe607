#include "common/varlink/description.h"

#include <algorithm>

#include "common/did_you_mean.h"

namespace procsup::varlink {
namespace {

std::string kind_name(const Type& type) {
    switch (type.kind) {
        case Type::Kind::Bool: return "true or false";
        case Type::Kind::Int: return "an integer";
        case Type::Kind::Float: return "a number";
        case Type::Kind::String: return "a string";
        case Type::Kind::Array: return "an array";
        case Type::Kind::Map:
        case Type::Kind::Struct:
        case Type::Kind::Object:
        case Type::Kind::Named: return "an object";
        case Type::Kind::Enum: break;
    }
    std::string words;
    for (const auto& word : type.words) words.append(words.empty() ? "one of " : ", ").append(word);
    return words;
}

std::string joined(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
}

BadParameter wrong_type(const Type& type, const std::string& path) {
    return {path, "'" + path + "' must be " + kind_name(type)};
}

BadParameter unknown(const Type& type, const std::string& path, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& field : type.fields) names.emplace_back(field.name);
    const auto where = joined(path, name);
    return {where, "unknown parameter '" + where + "'" + did_you_mean(name, names)};
}

/// Of types without parts of their own.
bool fits_simple_type(const Type& type, const json::Value& value) {
    switch (type.kind) {
        case Type::Kind::Bool: return value.as_bool() != nullptr;
        case Type::Kind::Int: return value.as_int() != nullptr;
        // Many writers drop the fraction of a whole number.
        case Type::Kind::Float: return value.as_double() != nullptr || value.as_int() != nullptr;
        case Type::Kind::String: return value.as_string() != nullptr;
        case Type::Kind::Enum:
            return value.as_string() != nullptr &&
                   std::find(type.words.begin(), type.words.end(), *value.as_string()) != type.words.end();
        case Type::Kind::Object:
        case Type::Kind::Array:
        case Type::Kind::Map:
        case Type::Kind::Struct:
        case Type::Kind::Named: return true;
    }
    return false;
}

}  // namespace

std::optional<BadParameter> Description::check(const Type& input, const json::Value& parameters) const {
    return check_struct(input, parameters, {});
}

std::optional<BadParameter> Description::check_value(const Type& type, const json::Value& value,
                                                     const std::string& path) const {
    if (value.is_null()) {
        if (type.nullable) return std::nullopt;
        return BadParameter{path, "'" + path + "' must not be null"};
    }
    switch (type.kind) {
        case Type::Kind::Array:
        case Type::Kind::Map: return check_elements(type, value, path);
        case Type::Kind::Struct: return check_struct(type, value, path);
        case Type::Kind::Named: return check_value(types_.find(type.name)->second, value, path);
        case Type::Kind::Bool:
        case Type::Kind::Int:
        case Type::Kind::Float:
        case Type::Kind::String:
        case Type::Kind::Object:
        case Type::Kind::Enum: break;
    }
    if (!fits_simple_type(type, value)) return wrong_type(type, path);
    return std::nullopt;
}

std::optional<BadParameter> Description::check_struct(const Type& type, const json::Value& value,
                                                      const std::string& path) const {
    const auto* object = value.as_object();
    if (object == nullptr) return wrong_type(type, path);
    for (const auto& [name, member] : *object) {
        const auto known = [&name = name](const Field& field) { return field.name == name; };
        const auto field = std::find_if(type.fields.begin(), type.fields.end(), known);
        if (field == type.fields.end()) return unknown(type, path, name);
        // Null is the same as absent, and what is absent is looked for below.
        if (member.is_null()) continue;
        if (auto bad = check_value(field->type, member, joined(path, name))) return bad;
    }
    for (const auto& field : type.fields) {
        if (field.type.nullable || value.find(field.name) != nullptr) continue;
        const auto where = joined(path, field.name);
        return BadParameter{where, "'" + where + "' is missing"};
    }
    return std::nullopt;
}

std::optional<BadParameter> Description::check_elements(const Type& type, const json::Value& value,
                                                        const std::string& path) const {
    if (type.kind == Type::Kind::Array) {
        if (value.as_array() == nullptr) return wrong_type(type, path);
        for (const auto& element : *value.as_array()) {
            if (auto bad = check_value(*type.element, element, path)) return bad;
        }
        return std::nullopt;
    }
    if (value.as_object() == nullptr) return wrong_type(type, path);
    for (const auto& [name, member] : *value.as_object()) {
        if (auto bad = check_value(*type.element, member, path)) return bad;
    }
    return std::nullopt;
}

}  // namespace procsup::varlink
