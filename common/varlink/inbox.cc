#include "common/varlink/inbox.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace procsup::varlink {
namespace {

constexpr std::size_t kReadSize = 32u << 10;
/// An empty buffer of more than this is given back, so that an idle client costs little.
constexpr std::size_t kKeepCapacity = 1024;
constexpr std::size_t kMaxFds = 253;  // SCM_MAX_FD of the kernel

Inbox::Read after_error(int error) {
    if (error == EAGAIN || error == EINTR) return Inbox::Read::Nothing;
    return error == ECONNRESET ? Inbox::Read::Reset : Inbox::Read::End;
}

}  // namespace

Inbox::Read Inbox::receive(int socket, std::size_t max_fds, FdCloser* closer) {
    std::array<char, kReadSize> buffer;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control;
    iovec part{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (max_fds > 0) {
        // For all there can be: those beyond the room are closed by the kernel, here and now.
        header.msg_control = control.data();
        header.msg_controllen = control.size();
    } else {
        // As many bytes, at most, as are known to have come without.
        const auto seen = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_PEEK);
        if (seen < 0) return after_error(errno);
        if ((header.msg_flags & MSG_CTRUNC) != 0) return Read::Descriptors;
        if (seen > 0) part.iov_len = static_cast<std::size_t>(seen);
    }
    const auto count = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return after_error(errno);
    forget_consumed();
    bytes_.append(buffer.data(), static_cast<std::size_t>(count));
    keep_fds(header, max_fds, closer);
    return count > 0 ? Read::Some : Read::End;
}

void Inbox::forget_consumed() {
    bytes_.erase(0, begin_);
    scanned_ = std::max(scanned_, begin_) - begin_;
    for (auto& arrival : fds_) arrival.position -= begin_;
    begin_ = 0;
}

// The kernel ends a recvmsg with the segment that carries descriptors, so they belong to the message that its last
// byte belongs to.
void Inbox::keep_fds(msghdr& header, std::size_t max_fds, FdCloser* closer) {
    for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
            Fd fd(number, closer);
            if (fds_.size() < max_fds && !bytes_.empty()) fds_.push_back({bytes_.size() - 1, std::move(fd)});
        }
    }
}

std::string_view Inbox::next_message() {
    scanned_ = std::max(scanned_, begin_);
    const auto end = bytes_.find('\0', scanned_);
    scanned_ = end == std::string::npos ? bytes_.size() : end;
    if (end == std::string::npos) return {};
    return std::string_view(bytes_).substr(begin_, end - begin_);
}

std::vector<Fd> Inbox::consume(std::size_t message_size) {
    begin_ += message_size + 1;
    std::vector<Fd> fds;
    while (!fds_.empty() && fds_.front().position < begin_) {
        fds.push_back(std::move(fds_.front().fd));
        fds_.erase(fds_.begin());
    }
    if (begin_ < bytes_.size()) return fds;
    bytes_.clear();
    if (bytes_.capacity() > kKeepCapacity) bytes_.shrink_to_fit();
    begin_ = scanned_ = 0;
    return fds;
}

}  // namespace procsup::varlink
