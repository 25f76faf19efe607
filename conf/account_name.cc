#include "conf/account_name.h"

#include <algorithm>

#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::size_t kLongest = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string account_name_fault(std::string_view name) {
    if (name.size() > kLongest) return "cannot be a name of more than 256 bytes";
    const std::string cannot = "cannot be " + quoted(name);
    if (is_digit(name.front()) || std::string_view("-+.").find(name.front()) != std::string_view::npos) {
        const auto digits = name.substr(std::min(name.find_first_not_of("+-."), name.size()));
        if (digits.empty() || !is_digit(digits.front())) {
            return cannot + ": a name does not begin with '" + std::string(1, name.front()) + "'";
        }
        return cannot +
               ", which looks like a number and is no id: write a name, which begins with a letter, or the id as an "
               "integer";
    }
    // Domains have user@domain and DOMAIN\\user; bytes of other scripts are letters to them.
    const auto odd = std::find_if(name.begin(), name.end(), [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c < 0;
        return !letter && std::string_view("_-.@\\$+").find(c) == std::string_view::npos;
    });
    if (odd == name.end()) return {};
    if (*odd == ' ') return cannot + ": a name has no space in it";
    const bool control = *odd < 0x20 || *odd == 0x7F;
    return cannot + (control ? ": a name has no control character in it"
                             : ": a name has no '" + std::string(1, *odd) + "' in it");
}

}  // namespace procsup
