#include "daemon/broker/names.h"

#include <algorithm>
#include <cerrno>

namespace procsup::broker {
namespace {

constexpr std::size_t kLongestPart = 64;

std::string own_prefix(uid_t uid) { return "user/" + std::to_string(uid) + "/"; }

bool is_part(std::string_view text) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
               c == '-';
    };
    return !text.empty() && text.size() <= kLongestPart && text[0] != '-' && text[0] != '.' &&
           std::all_of(text.begin(), text.end(), fits);
}

bool is_name(std::string_view text) {
    if (text.size() > kLongestName) return false;
    for (;;) {
        const auto slash = text.find('/');
        if (!is_part(text.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
}

}  // namespace

Result<std::string> full_name(std::string_view asked, uid_t caller) {
    if (!is_name(asked)) {
        return Error{
            "a name has parts of 1 to 64 letters, digits, '_', '.', '-' between slashes, which do not begin with "
            "'.' or '-', and 200 characters at most",
            EINVAL};
    }
    if (asked.find('/') == std::string_view::npos) return own_prefix(caller) + std::string(asked);
    if (!may_know(asked, caller))
        return Error{"'" + std::string(asked) + "' is not yours: your own begin with " + own_prefix(caller), EACCES};
    return std::string(asked);
}

std::string_view own_name(std::string_view full, uid_t caller) {
    const auto prefix = own_prefix(caller);
    if (full.starts_with(prefix) && full.find('/', prefix.size()) == std::string_view::npos)
        full.remove_prefix(prefix.size());
    return full;
}

bool may_know(std::string_view full, uid_t caller) {
    // Nobody else has those that no user has.
    return full.starts_with(own_prefix(caller)) || (caller == 0 && full.starts_with("user/"));
}

}  // namespace procsup::broker
