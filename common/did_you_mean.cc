#include "common/did_you_mean.h"

#include <algorithm>
#include <vector>

namespace procsup {
namespace {

/// Edits (insert, delete, replace, swap of neighbours) that turn a into b; given up as soon as they are more than
/// `most`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most) return most + 1;
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = std::min(now[j], before[j - 2] + 1);
            }
        }
        if (*std::min_element(now.begin(), now.end()) > most) return most + 1;
        before.swap(last);
        last.swap(now);
    }
    return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t kLongestWord = 64;  // bounds the work for hostile input
    if (word.empty() || word.size() > kLongestWord) return {};
    // A single letter is as near to any other.
    std::size_t best = word.size() == 1 ? 0 : word.size() <= 4 ? 1 : 2;
    std::string_view found;
    for (const auto candidate : candidates) {
        if (candidate.size() > kLongestWord) continue;
        const auto distance = edit_distance(word, candidate, best);
        if (distance < best || (distance == best && found.empty())) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const auto found = nearest(word, candidates);
    return found.empty() ? std::string() : " (did you mean '" + std::string(found) + "'?)";
}

}  // namespace procsup
