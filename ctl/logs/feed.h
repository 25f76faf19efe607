#pragma once

#include <string>

#include "common/fd.h"

namespace procsup::ctl {

/// The connection over which the logger offers files, see common/log_file.h.
class LogFeed {
public:
    explicit LogFeed(Fd socket) : socket_(std::move(socket)) {}

    enum class Read { Packet, Nothing, End };
    /// The next packet, if there is one; never waits.
    Read receive();
    const std::string& packet() const { return packet_; }
    /// That came with the packet, or empty.
    Fd take_fd() { return std::move(fd_); }

    int fd() const { return socket_.get(); }

private:
    Fd socket_;
    std::string packet_;
    Fd fd_;
};

}  // namespace procsup::ctl
