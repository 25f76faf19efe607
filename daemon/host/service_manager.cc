#include "daemon/host/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "daemon/host/child.h"

namespace procsup {

ServiceManager::ServiceManager() : present_(getenv("NOTIFY_SOCKET") != nullptr) {}

void ServiceManager::send(const std::string& message) const {
    // An unreachable service manager is nothing procsupd could do anything about.
    if (present_) sd_notify(0, message.c_str());
}

void ServiceManager::ready(std::string_view status) const {
    send(fmt::format("READY=1\nSTATUS={}\nMAINPID={}", status, getpid()));
}

void ServiceManager::reloading() const {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

void ServiceManager::stopping(std::string_view status) const { send(fmt::format("STOPPING=1\nSTATUS={}", status)); }

void ServiceManager::status(std::string_view text) const { send(fmt::format("STATUS={}", text)); }

void ServiceManager::extend_timeout(std::chrono::microseconds more) const {
    send(fmt::format("EXTEND_TIMEOUT_USEC={}", more.count()));
}

Fd inherited_socket() {
    const int count = sd_listen_fds(1);
    for (int i = 0; i < count; ++i) {
        const int fd = SD_LISTEN_FDS_START + i;
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, nullptr, 0) <= 0) continue;
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        Fd kept(fcntl(fd, F_DUPFD_CLOEXEC, kFirstKeptFd));
        close(fd);
        return kept;
    }
    return Fd();
}

}  // namespace procsup
