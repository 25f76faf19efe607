#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "common/result.h"

namespace procsup::broker {

/// What is coordinated has a name of parts between slashes, each as that of a job. Those below user/UID/ are that user's own.
inline constexpr std::size_t kLongestName = 200;

/// What `asked` means for a caller: a name without a slash is his own. The Error has EINVAL for what is no name, EACCES for what is
/// not his.
Result<std::string> full_name(std::string_view asked, uid_t caller);
/// As that caller says it.
std::string_view own_name(std::string_view full, uid_t caller);
bool may_know(std::string_view full, uid_t caller);

}  // namespace procsup::broker
