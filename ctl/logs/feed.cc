#include "ctl/logs/feed.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/log_file.h"

namespace procsup::ctl {

LogFeed::Read LogFeed::receive() {
    packet_.resize(log_reading::kMaxPacket);
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{packet_.data(), packet_.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = CMSG_LEN(sizeof(int));  // room for one: the kernel closes all others
    const auto count = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Read::Nothing;
    packet_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    fd_.reset();
    const auto* const rights = CMSG_FIRSTHDR(&header);
    if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof(int))) {
        int number = -1;
        std::memcpy(&number, CMSG_DATA(rights), sizeof number);
        fd_.reset(number);
    }
    return count > 0 ? Read::Packet : Read::End;
}

}  // namespace procsup::ctl
