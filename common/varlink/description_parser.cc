#include <algorithm>
#include <cctype>
#include <utility>

#include "common/varlink/description.h"

namespace procsup::varlink {

/// Reads the interface language by recursive descent. The first thing that is wrong is kept with its line; everything
/// after it returns without effect.
class DescriptionParser {
public:
    explicit DescriptionParser(std::string_view text) : text_(text) {}

    Result<Description> parse() {
        if (take_word() != "interface") fail("\"interface\" is missing");
        result_.interface_ = take_interface_name();
        while (!failed_ && skip_blanks()) parse_member();
        check_names();
        if (failed_) return Error{"cannot read the interface description: line " + std::to_string(line_) + ": " + why_};
        return std::move(result_);
    }

private:
    static constexpr int kMaxNesting = 32;

    void parse_member() {
        const auto keyword = take_word();
        const std::string name(take_word());
        if (name.empty() || !std::isupper(static_cast<unsigned char>(name[0]))) {
            return fail("a name that begins with a capital letter is missing");
        }
        bool fresh = false;
        if (keyword == "type") {
            fresh = result_.types_.emplace(name, parse_parts()).second;
        } else if (keyword == "error") {
            fresh = result_.errors_.emplace(name, parse_parts()).second;
        } else if (keyword == "method") {
            fresh = result_.methods_.emplace(name, parse_parts()).second;
            if (!take("->")) return fail("\"->\" is missing");
            parse_parts();
        } else {
            return fail("\"type\", \"method\" or \"error\" is missing");
        }
        if (!fresh) fail("'" + name + "' is there twice");
    }

    Type parse_type() {
        Type type;
        type.nullable = take("?");
        if (take("[]")) {
            type.kind = Type::Kind::Array;
            type.element = element_type();
        } else if (take("[string]")) {
            type.kind = Type::Kind::Map;
            type.element = element_type();
        } else if (peek() == '(') {
            const bool nullable = type.nullable;
            type = parse_parts();
            type.nullable = nullable;
        } else {
            set_named(type, take_word());
        }
        return type;
    }

    std::shared_ptr<const Type> element_type() {
        if (nesting_ >= kMaxNesting) fail("too deep");
        if (failed_) return std::make_shared<Type>();
        ++nesting_;
        auto element = std::make_shared<Type>(parse_type());
        --nesting_;
        return element;
    }

    void set_named(Type& type, std::string_view word) {
        constexpr std::pair<std::string_view, Type::Kind> kBasic[] = {{"bool", Type::Kind::Bool},
                                                                      {"int", Type::Kind::Int},
                                                                      {"float", Type::Kind::Float},
                                                                      {"string", Type::Kind::String},
                                                                      {"object", Type::Kind::Object}};
        for (const auto& [name, kind] : kBasic) {
            if (name != word) continue;
            type.kind = kind;
            return;
        }
        if (word.empty()) return fail("a type is missing");
        type.kind = Type::Kind::Named;
        type.name = word;
        uses_.emplace_back(word, line_);
    }

    /// "(name: type, ...)" or "(word, ...)"; "()" is a struct of nothing.
    Type parse_parts() {
        Type type;
        type.kind = Type::Kind::Struct;
        if (!take("(")) fail("\"(\" is missing");
        if (++nesting_ > kMaxNesting) fail("too deep");
        while (!failed_ && !take(")")) {
            const std::string name(take_word());
            if (name.empty()) fail("a name is missing");
            if (take(":")) {
                type.fields.push_back({name, parse_type()});
            } else {
                type.kind = Type::Kind::Enum;
                type.words.push_back(name);
            }
            if (!take(",") && peek() != ')') fail("\",\" or \")\" is missing");
        }
        --nesting_;
        if (!type.fields.empty() && !type.words.empty()) fail("members with and without a type");
        return type;
    }

    /// Types may be used before they are described.
    void check_names() {
        for (const auto& [name, line] : uses_) {
            if (failed_) return;
            if (result_.types_.contains(name)) continue;
            line_ = line;
            fail("'" + name + "' is no type");
        }
    }

    void fail(std::string why) {
        if (failed_) return;
        failed_ = true;
        why_ = std::move(why);
    }

    /// Skips blanks and comments; says whether anything follows.
    bool skip_blanks() {
        while (!text_.empty()) {
            if (text_[0] == '#') {
                text_.remove_prefix(std::min(text_.find('\n'), text_.size()));
            } else if (std::isspace(static_cast<unsigned char>(text_[0]))) {
                if (text_[0] == '\n' && !failed_) ++line_;
                text_.remove_prefix(1);
            } else {
                return true;
            }
        }
        return false;
    }

    char peek() { return skip_blanks() ? text_[0] : '\0'; }

    bool take(std::string_view token) {
        skip_blanks();
        if (!text_.starts_with(token)) return false;
        text_.remove_prefix(token.size());
        return true;
    }

    template <typename Accept>
    std::string_view take_while(Accept accept) {
        skip_blanks();
        std::size_t length = 0;
        while (length < text_.size() && accept(static_cast<unsigned char>(text_[length]))) ++length;
        const auto word = text_.substr(0, length);
        text_.remove_prefix(length);
        return word;
    }

    std::string_view take_word() {
        return take_while([](unsigned char c) { return std::isalnum(c) || c == '_'; });
    }

    std::string take_interface_name() {
        std::string name(take_while([](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-'; }));
        if (name.find('.') == std::string::npos) fail("the interface's name has no dot");
        return name;
    }

    std::string_view text_;
    Description result_;
    std::vector<std::pair<std::string, int>> uses_;
    int line_ = 1;
    int nesting_ = 0;
    bool failed_ = false;
    std::string why_;
};

Result<Description> Description::parse(std::string_view text) { return DescriptionParser(text).parse(); }

}  // namespace procsup::varlink
