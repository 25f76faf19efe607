#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace procsup {

/// Bytes of the well-formed UTF-8 sequence at the front of `text` (1 to 4), or 0 when none is there: overlong forms,
/// surrogates and everything above U+10FFFF are not well-formed.
std::size_t utf8_sequence(std::string_view text);

/// Bytes at the end of `text` (0 to 3) that more bytes could make a sequence of.
std::size_t utf8_cut_short(std::string_view text);

/// Is all of it UTF-8?
bool is_utf8(std::string_view text);

/// What fits into `most` bytes of `text`; no character is cut.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

/// The same, and "..." where that is not all of it.
std::string beginning_of(std::string_view text, std::size_t most);

}  // namespace procsup
