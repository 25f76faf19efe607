#include "conf/placeholder.h"

#include <algorithm>
#include <array>

#include "common/did_you_mean.h"
#include "common/utf8.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::array<std::string_view, 4> kJobNames{"name", "instance", "index", "port"};
constexpr std::array<std::string_view, 3> kSpaces{"job", "env", "cred"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name_char(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

/// "${word:" at the front of `text`: where its colon is.
std::size_t colon_of(std::string_view text) {
    if (!text.starts_with("${")) return std::string_view::npos;
    std::size_t at = 2;
    while (at < text.size() && is_letter(text[at])) ++at;
    return at > 2 && at < text.size() && text[at] == ':' ? at : std::string_view::npos;
}

bool is_known_space(std::string_view word) { return word == "job" || word == "env" || word == "cred"; }

/// Builds the text from what is literal and what stays a placeholder.
class Preparation {
public:
    explicit Preparation(const PlaceholderScope& scope) : scope_(scope) {}

    Result<PreparedText> run(std::string_view rest) {
        while (!rest.empty()) {
            const auto next = rest.find('$');
            literal_.append(rest.substr(0, next));
            if (next == std::string_view::npos) break;
            rest.remove_prefix(next);
            const auto length = placeholder_length(rest);
            if (length == 0) {
                literal_ += '$';
            } else if (rest[1] == '$') {
                literal_ += "${";
            } else if (auto fault = replace(rest.substr(0, length)); !fault.empty()) {
                return Error{std::move(fault)};
            }
            rest.remove_prefix(length == 0 ? 1 : length);
        }
        flush();
        return std::move(result_);
    }

private:
    /// Why `placeholder` cannot be replaced; empty when it was.
    std::string replace(std::string_view placeholder) {
        const auto colon = colon_of(placeholder);
        const auto space = placeholder.substr(2, colon - 2);
        if (!placeholder.ends_with('}')) return "placeholder " + quoted(placeholder) + " is not complete";
        const auto name = placeholder.substr(colon + 1, placeholder.size() - colon - 2);
        if (space == "env") return replace_variable(name);
        if (space == "job") return replace_job(placeholder, name);
        if (space == "cred") return replace_credential(placeholder, name);
        return "unknown placeholder " + quoted(placeholder) + did_you_mean(space, kSpaces) +
               ": write $${ for a literal ${";
    }

    std::string replace_variable(std::string_view name) {
        if (!is_env_name(name)) return quoted(name) + " is not the name of a variable";
        const auto value = scope_.surroundings->variable(std::string(name));
        if (!value) return "the variable " + quoted(name) + " of ${env:…} is not set where the configuration is read";
        if (!is_utf8(*value)) return "the variable " + quoted(name) + " of ${env:…} is not UTF-8";
        literal_.append(*value);
        return {};
    }

    std::string replace_job(std::string_view placeholder, std::string_view name) {
        if (name == "name") {
            literal_.append(scope_.job);
            return {};
        }
        if (std::find(kJobNames.begin(), kJobNames.end(), name) == kJobNames.end()) {
            return "unknown placeholder " + quoted(placeholder) + did_you_mean(name, kJobNames);
        }
        if (name == "port") {
            if (!scope_.port_base) return quoted(placeholder) + " needs port_base";
            result_.uses_port = true;
        }
        return leave(placeholder);
    }

    /// Where it is laid out only the daemon knows.
    std::string replace_credential(std::string_view placeholder, std::string_view name) {
        if (scope_.credentials == nullptr) {
            return "placeholder " + quoted(placeholder) + " can only stand in the commands of a job and in [env]";
        }
        const auto& names = *scope_.credentials;
        if (std::find(names.begin(), names.end(), name) != names.end()) return leave(placeholder);
        return "unknown credential in " + quoted(placeholder) + did_you_mean(name, names) +
               ": [credentials] has none of this name";
    }

    /// For expand_job().
    std::string leave(std::string_view placeholder) {
        // "$" directly before it would read as "$${", the escape.
        if (literal_.ends_with('$')) return "'$' cannot stand directly before " + quoted(placeholder);
        flush();
        result_.text.append(placeholder);
        result_.differs = true;
        return {};
    }

    void flush() {
        result_.text += protect(literal_);
        literal_.clear();
    }

    const PlaceholderScope& scope_;
    std::string literal_;
    PreparedText result_;
};

}  // namespace

std::size_t placeholder_length(std::string_view text) {
    if (text.starts_with("$${")) return 3;
    const auto colon = colon_of(text);
    if (colon == std::string_view::npos) return 0;
    std::size_t at = colon + 1;
    while (at < text.size() && is_name_char(text[at])) ++at;
    const bool complete = at > colon + 1 && at < text.size() && text[at] == '}';
    // An incomplete one of ours is taken up to where it breaks off, so that it can be complained of.
    if (is_known_space(text.substr(2, colon - 2))) return complete ? at + 1 : at;
    return complete && is_letter(text[colon + 1]) ? at + 1 : 0;
}

std::string protect(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto here = text.substr(at);
        const bool opens = here.starts_with("${");
        if (opens && (colon_of(here) != std::string_view::npos || (at > 0 && text[at - 1] == '$'))) result += '$';
        result += text[at];
    }
    return result;
}

Result<PreparedText> prepare_text(std::string_view text, const PlaceholderScope& scope) {
    if (text.find("${") == std::string_view::npos) return PreparedText{std::string(text), false, false};
    return Preparation(scope).run(text);
}

}  // namespace procsup
