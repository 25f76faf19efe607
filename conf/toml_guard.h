#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "conf/toml_doc.h"

namespace procsup {

/// Levels of brackets, and dots of one dotted key, that a text may have.
inline constexpr std::size_t kMostNesting = 16;

/// What must be refused before a TOML parser sees it: bytes that are not UTF-8, a NUL, and nesting deep enough to
/// overflow the stack of a recursive parser or of the destructors of its tree. Linear in the text.
std::optional<SyntaxError> check_text(std::string_view text);

}  // namespace procsup
