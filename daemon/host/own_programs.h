#pragma once

#include <string>
#include <string_view>

namespace procsup {

/// The absolute path of one of the programs that belong to procsupd: beside it, in the build tree, or where packages put it.
/// Empty: it is nowhere.
std::string find_own_program(std::string_view name);

}  // namespace procsup
