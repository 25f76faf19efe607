#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"

namespace procsup {

/// What procsupd tells the service manager that started it, by the protocol of sd_notify(3); does nothing without
/// $NOTIFY_SOCKET. Unlike that function it never waits: what a busy service manager does not take is kept,
/// the latest of it, for retry().
class ServiceManager {
public:
    ServiceManager();

    bool present() const { return static_cast<bool>(socket_); }
    /// How often the service manager wants to hear of us ($WATCHDOG_USEC, for this process); zero: never.
    std::chrono::microseconds watchdog_interval() const;
    void alive();
    /// Sends what was not taken; says whether something is still left.
    bool retry();
    void ready(std::string_view status);
    void reloading();
    void stopping(std::string_view status);
    void status(std::string_view text);
    /// Asks for `more` time before the running start, stop or reload counts as hung.
    void extend_timeout(std::chrono::microseconds more);

private:
    void send(const std::string& message);

    Fd socket_;
    std::deque<std::string> unsent_;
};

/// Sockets that a service manager opened for us (sd_listen_fds(3)).
struct InheritedSockets {
    Fd control;                                     ///< procsupd's own; none: there is no such
    std::map<std::string, std::vector<Fd>> others;  ///< for jobs, by their FileDescriptorName=
};
/// Used once. The one for clients is that at a path that ends with "io.procsupd", else one that nobody has given a name to but
/// its unit.
InheritedSockets inherited_sockets();

}  // namespace procsup
