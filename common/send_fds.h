#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

namespace procsup {

/// One sendmsg(2) of `bytes` with the descriptors (SCM_RIGHTS), which stay open here; they go with the first byte. Returns
/// what sendmsg returns. More than the kernel passes at once is EINVAL.
ssize_t send_with_fds(int socket, std::string_view bytes, std::span<const int> fds, int flags);

}  // namespace procsup
