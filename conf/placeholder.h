#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "conf/surroundings.h"

namespace procsup {

/// Bytes of the placeholder (`${word:…}`) or the escape (`$${`) at the front of `text`; 0 when neither is there.
/// "${HOME}" and "${HOME:-/}" are none: they are the shell's, and pass verbatim.
std::size_t placeholder_length(std::string_view text);

/// `text` written so that expand_job() gives it back: nothing in it is taken for a placeholder.
std::string protect(std::string_view text);

/// What placeholders of a job's settings stand for when the file is read.
struct PlaceholderScope {
    std::string_view job;
    std::optional<int> port_base;
    const Surroundings* surroundings = nullptr;
    const std::vector<std::string_view>* credentials = nullptr;  ///< their names, where ${cred:NAME} may stand
};

/// A text of which everything is replaced that is the same for all instances; the rest is for expand_job().
struct PreparedText {
    std::string text;
    bool differs = false;  ///< between instances
    bool uses_port = false;
};

/// Errors: an unknown placeholder, an unset variable, a port where the job has no port_base.
Result<PreparedText> prepare_text(std::string_view text, const PlaceholderScope& scope);

}  // namespace procsup
