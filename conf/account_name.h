#pragma once

#include <string>
#include <string_view>

namespace procsup {

/// Why `name` is not taken for a user or a group, although some database may have it: what looks like a number, which one
/// reader takes for an id and another for a name, and what files such as /etc/passwd cannot hold: "cannot be …". Empty: it may be one.
std::string account_name_fault(std::string_view name);

}  // namespace procsup
