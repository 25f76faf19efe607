#pragma once

#include <span>
#include <string>
#include <string_view>

namespace procsup {

/// The candidate nearest to `word` when a slip of the fingers explains the difference (at most two edits,
/// one for words up to four letters), else an empty view. The view points into `candidates`.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// " (did you mean 'restart'?)", or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace procsup
