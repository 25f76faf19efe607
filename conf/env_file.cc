#include "conf/env_file.h"

#include <algorithm>

#include "common/utf8.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::string_view kSpace = " \t\r";

std::string_view trimmed(std::string_view text) {
    const auto start = text.find_first_not_of(kSpace);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

/// The value of `text`, quotes resolved; a reason why not in `fault`.
std::string unquoted(std::string_view text, std::string& fault) {
    if (text.empty() || (text[0] != '"' && text[0] != '\'')) return std::string(text);
    const char quote = text[0];
    std::string value;
    std::size_t at = 1;
    for (; at < text.size() && text[at] != quote; ++at) {
        const bool escape = quote == '"' && text[at] == '\\' && at + 1 < text.size();
        if (escape && std::string_view("\"\\$`").find(text[at + 1]) != std::string_view::npos) ++at;
        value += text[at];
    }
    if (at >= text.size()) fault = std::string("the quote ") + quote + " is never closed";
    if (at + 1 < text.size()) fault = "text behind the closing quote";
    return value;
}

}  // namespace

std::variant<std::vector<EnvSetting>, std::vector<SyntaxError>> parse_env_file(std::string_view text) {
    constexpr std::size_t kMostErrors = 20;
    std::vector<EnvSetting> settings;
    std::vector<SyntaxError> errors;
    std::uint32_t number = 0;
    while (!text.empty() && errors.size() < kMostErrors) {
        ++number;
        const auto end = std::min(text.find('\n'), text.size());
        const auto whole = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto line = trimmed(whole);
        if (line.empty() || line[0] == '#' || line[0] == ';') continue;
        const auto equals = line.find('=');
        const auto name = trimmed(line.substr(0, equals));
        std::string fault;
        if (!is_utf8(line) || line.find('\0') != std::string_view::npos) {
            fault = "not UTF-8 text";
        } else if (equals == std::string_view::npos) {
            fault = "a line must be KEY=VALUE";
        } else {
            fault = env_name_fault(name);
        }
        std::string value;
        if (fault.empty()) value = unquoted(trimmed(line.substr(equals + 1)), fault);
        if (fault.empty()) {
            settings.push_back({std::string(name), std::move(value)});
        } else {
            const auto column = static_cast<std::uint32_t>(line.data() - whole.data() + 1);
            errors.push_back({{number, column}, std::move(fault)});
        }
    }
    if (!errors.empty()) return errors;
    return settings;
}

}  // namespace procsup
