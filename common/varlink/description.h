#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "common/result.h"

namespace procsup::varlink {

struct Field;

/// A type of the interface language, as far as it takes to check a value against it.
struct Type {
    enum class Kind { Bool, Int, Float, String, Object, Array, Map, Struct, Enum, Named };
    Kind kind = Kind::Object;
    bool nullable = false;
    std::shared_ptr<const Type> element;  ///< of Array and Map; shared so that types can be copied
    std::vector<Field> fields;            ///< of Struct
    std::vector<std::string> words;       ///< of Enum
    std::string name;                     ///< of Named
};

struct Field {
    std::string name;
    Type type;
};

/// Why a call's parameters are not what its method takes.
struct BadParameter {
    std::string path;     ///< "names", or "options.limit" inside a struct
    std::string message;  ///< for people
};

/// What a .varlink file says: the names of an interface, its methods and errors, and the types of what methods take.
/// Immutable after parse(); used by the server's method table to refuse bad calls before their handler sees them.
class Description {
public:
    /// Reads the interface language; the Error names the line.
    static Result<Description> parse(std::string_view text);

    const std::string& interface_name() const { return interface_; }
    /// The members of the parameters of each method, by the method's own name.
    const std::map<std::string, Type, std::less<>>& methods() const { return methods_; }
    const std::map<std::string, Type, std::less<>>& errors() const { return errors_; }

    /// Compares a call's parameters (an object) with `input` of one of methods(): unknown members, wrong types and
    /// missing members that are not nullable are refused.
    std::optional<BadParameter> check(const Type& input, const json::Value& parameters) const;

private:
    friend class DescriptionParser;
    std::optional<BadParameter> check_value(const Type& type, const json::Value& value, const std::string& path) const;
    std::optional<BadParameter> check_struct(const Type& type, const json::Value& value, const std::string& path) const;
    std::optional<BadParameter> check_elements(const Type& type, const json::Value& value,
                                               const std::string& path) const;

    std::string interface_;
    std::map<std::string, Type, std::less<>> types_;
    std::map<std::string, Type, std::less<>> methods_;
    std::map<std::string, Type, std::less<>> errors_;
};

}  // namespace procsup::varlink
