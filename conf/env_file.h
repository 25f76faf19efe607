#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conf/toml_doc.h"

namespace procsup {

struct EnvSetting {
    std::string name;
    std::string value;
};

/// Reads lines of KEY=VALUE, as systemd's EnvironmentFile= and `docker --env-file` do where these agree:
/// - empty lines and lines that begin with # or ; are skipped; white space around key and value does not count;
/// - a value within '…' is verbatim; within "…" a backslash takes ", \, $ and ` verbatim; behind the closing quote
///   nothing may follow; an unquoted value is verbatim, # and all;
/// - nothing is expanded, and a value ends with its line.
std::variant<std::vector<EnvSetting>, std::vector<SyntaxError>> parse_env_file(std::string_view text);

}  // namespace procsup
