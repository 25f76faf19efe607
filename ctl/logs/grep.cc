#include "ctl/logs/grep.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/regex.h"

namespace procsup::ctl {

struct Grep::Code {
    Regex code;
    pcre2_match_data* match = nullptr;
    pcre2_match_context* context = nullptr;
    pcre2_jit_stack* stack = nullptr;
};

namespace {

/// A search that needs more than this is given up; the line does not match then.
constexpr std::size_t kJitStack = 1u << 20;

/// Nothing that looks at what stands before the match, nothing that matches a newline (each line would be searched to the end of
/// all), and nothing rare enough not to be sure.
bool depends_on_match_only(std::string_view expression) {
    for (std::size_t i = 0; i < expression.size(); ++i) {
        const auto rest = expression.substr(i);
        const char next = rest.size() > 1 ? rest[1] : '\0';
        if (static_cast<unsigned char>(rest[0]) < 0x20 || rest[0] == '^' || rest.starts_with("[:")) return false;
        if (rest.starts_with("(*") ||
            (rest.starts_with("(?") && !rest.starts_with("(?:") && !rest.starts_with("(?i)"))) {
            return false;
        }
        if (rest[0] == '\\') {
            const bool is_letter = std::isalnum(static_cast<unsigned char>(next)) != 0;
            if (is_letter && std::string_view("dwbS").find(next) == std::string_view::npos) return false;
            ++i;
        }
    }
    return true;
}

bool is_plain_in_json(std::string_view expression) {
    return std::all_of(expression.begin(), expression.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               std::string_view(" _-:;,=@#%&!~<>'").find(c) != std::string_view::npos;
    });
}

}  // namespace

void Grep::CodeEnd::operator()(Code* code) const {
    pcre2_jit_stack_free(code->stack);
    pcre2_match_context_free(code->context);
    pcre2_match_data_free(code->match);
    delete code;
}

Result<Grep> Grep::compile(std::string_view expression) {
    auto compiled = compile_regex(expression, Searches::ToTheirEnd);
    if (!compiled) return compiled.error();
    Grep grep(std::unique_ptr<Code, CodeEnd>(new Code{std::move(*compiled)}));
    auto& code = *grep.code_;
    // Without machine code, as on a kernel that forbids to make it, the search is only slower.
    (void)pcre2_jit_compile(code.code.get(), PCRE2_JIT_COMPLETE);
    code.match = pcre2_match_data_create_from_pattern(code.code.get(), nullptr);
    code.context = pcre2_match_context_create(nullptr);
    code.stack = pcre2_jit_stack_create(32u << 10, kJitStack, nullptr);
    pcre2_jit_stack_assign(code.context, nullptr, code.stack);
    grep.can_skip_ = depends_on_match_only(expression);
    grep.plain_in_json_ = is_plain_in_json(expression);
    return grep;
}

bool Grep::matches(std::string_view text) const {
    return pcre2_match(code_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, code_->match,
                       code_->context) >= 0;
}

std::optional<std::size_t> Grep::find(std::string_view lines) const {
    const int found = pcre2_match(code_->code.get(), reinterpret_cast<PCRE2_SPTR>(lines.data()), lines.size(), 0, 0,
                                  code_->match, code_->context);
    if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
    // A search that was given up in many lines may end in each of them.
    if (found < 0) return 0;
    return pcre2_get_ovector_pointer(code_->match)[0];
}

}  // namespace procsup::ctl
