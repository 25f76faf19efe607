#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

namespace procsup::varlink {

/// The bytes that have come over a connection and are not yet messages, with the descriptors that came along.
class Inbox {
public:
    /// Reset: the other side has closed without having read all that was sent to it (unix(7), ECONNRESET). Descriptors: some
    /// have come, and none are taken; what came with them is not received.
    enum class Read { Some, Nothing, End, Reset, Descriptors };

    /// One recvmsg(2). Keeps at most `max_fds` descriptors and closes the rest; 0: they stay in the socket. `closer` closes all,
    /// where there is one.
    Read receive(int socket, std::size_t max_fds, FdCloser* closer = nullptr);
    /// The next whole message without its NUL, or a null view. Valid until the inbox changes.
    std::string_view next_message();
    /// Removes the message that next_message() gave; returns the descriptors that came with it.
    std::vector<Fd> consume(std::size_t message_size);

    /// Bytes of messages, whole or not.
    std::size_t size() const { return bytes_.size() - begin_; }

private:
    struct Arrival {
        std::size_t position;  ///< of the last byte that came in the same recvmsg
        Fd fd;
    };
    void keep_fds(msghdr& header, std::size_t max_fds, FdCloser* closer);
    void forget_consumed();

    std::string bytes_;
    std::size_t begin_ = 0;    // of the first message
    std::size_t scanned_ = 0;  // no NUL before
    std::vector<Arrival> fds_;
};

}  // namespace procsup::varlink
