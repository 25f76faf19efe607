#include "common/send_fds.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace procsup {
namespace {

constexpr std::size_t kMaxFds = 253;  // SCM_MAX_FD of the kernel

}  // namespace

ssize_t send_with_fds(int socket, std::string_view bytes, std::span<const int> fds, int flags) {
    if (fds.size() > kMaxFds) {
        errno = EINVAL;
        return -1;
    }
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control;
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(fds.size_bytes());
        auto* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
    }
    return ::sendmsg(socket, &header, flags);
}

}  // namespace procsup
