#include "common/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace procsup {
namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

Regex compile(std::string_view expression, std::uint32_t more_flags, int& error, PCRE2_SIZE& where) {
    // Bytes are searched much faster than characters, and where the expression is of ASCII they are the same.
    const std::uint32_t flags = PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | more_flags |
                                (is_ascii(expression) ? PCRE2_NEVER_UTF : PCRE2_UTF | PCRE2_MATCH_INVALID_UTF);
    return Regex(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(), flags, &error,
                               &where, nullptr));
}

std::string text_of(int error) {
    std::array<PCRE2_UCHAR, 160> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

std::string behind(PCRE2_SIZE where) { return "behind " + std::to_string(where) + " characters"; }

}  // namespace

void RegexEnd::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Result<Regex> compile_regex(std::string_view expression, Searches searches) {
    int error = 0;
    PCRE2_SIZE where = 0;
    auto code = compile(expression, searches == Searches::AsLongAsAllowed ? PCRE2_AUTO_CALLOUT : 0, error, where);
    if (!code) return Error{"in '" + std::string(expression) + "' " + behind(where) + ": " + text_of(error)};
    return code;
}

std::optional<std::string> regex_fault(std::string_view expression) {
    if (expression.size() > kLongestRegex) return "is longer than " + std::to_string(kLongestRegex) + " bytes";
    int error = 0;
    PCRE2_SIZE where = 0;
    if (compile(expression, PCRE2_AUTO_CALLOUT, error, where)) return std::nullopt;
    return text_of(error) + ", " + behind(where);
}

bool is_plain_text(std::string_view expression) {
    return std::none_of(expression.begin(), expression.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 ||
               std::string_view(R"(\^$.|?*+()[]{})").find(c) != std::string_view::npos;
    });
}

}  // namespace procsup
