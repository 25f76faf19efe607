#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/fd.h"

namespace procsup {

/// What procsupd tells the service manager that started it (sd_notify(3)); does nothing without $NOTIFY_SOCKET.
class ServiceManager {
public:
    /// Jobs never see $NOTIFY_SOCKET: they inherit no environment.
    ServiceManager();

    bool present() const { return present_; }
    void ready(std::string_view status) const;
    void reloading() const;
    void stopping(std::string_view status) const;
    void status(std::string_view text) const;
    /// Asks for `more` time before the running start, stop or reload counts as hung.
    void extend_timeout(std::chrono::microseconds more) const;

private:
    void send(const std::string& message) const;

    bool present_ = false;
};

/// Sockets that a service manager opened for us (sd_listen_fds(3)); the first one, or none.
Fd inherited_socket();

}  // namespace procsup
