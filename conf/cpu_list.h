#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace procsup {

/// Reads "0-3,6" into sorted numbers, each once. The Error says what is wrong with the text.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

/// "0-3,6" for sorted numbers.
std::string cpu_list_text(std::span<const int> cpus);

}  // namespace procsup
