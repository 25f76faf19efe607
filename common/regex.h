#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

struct pcre2_real_code_8;

namespace procsup {

struct RegexEnd {
    void operator()(pcre2_real_code_8* code) const;
};
/// A regular expression in Perl's syntax, of which the POSIX extended one is a part, as PCRE2 has it.
using Regex = std::unique_ptr<pcre2_real_code_8, RegexEnd>;

/// Whether a search with it can be ended before it is through.
enum class Searches { ToTheirEnd, AsLongAsAllowed };

/// The Error says what is wrong with the expression, and where. '^' and '$' match at the ends of lines.
Result<Regex> compile_regex(std::string_view expression, Searches searches);

/// Of one that a file names.
inline constexpr std::size_t kLongestRegex = 2048;

/// "missing closing parenthesis, behind 3 characters"; nothing: the expression can be used in a file.
std::optional<std::string> regex_fault(std::string_view expression);

/// It matches where its own bytes are, and nowhere else.
bool is_plain_text(std::string_view expression);

}  // namespace procsup
