#pragma once

#include <string>

#include "common/fd.h"

namespace procsup::ctl {

/// The connection over which a logger offers files, see common/log_file.h.
class LogFeed {
public:
    /// `disk`: where the file system of the files is mounted.
    LogFeed(Fd socket, std::string disk) : socket_(std::move(socket)), disk_(std::move(disk)) {}

    enum class Read { Packet, Nothing, End };
    /// The next packet, if there is one; never waits.
    Read receive();
    const std::string& packet() const { return packet_; }
    /// That came with the packet, or empty.
    Fd take_fd() { return std::move(fd_); }

    int fd() const { return socket_.get(); }
    const std::string& disk() const { return disk_; }

private:
    Fd socket_;
    std::string disk_;
    std::string packet_;
    Fd fd_;
};

}  // namespace procsup::ctl
