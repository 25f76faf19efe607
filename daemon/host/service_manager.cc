#include "daemon/host/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "daemon/host/child.h"

namespace procsup {

ServiceManager::ServiceManager() {
    const char* path = getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path == nullptr || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path)) return;
    const std::size_t length = strlen(path);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (path[0] == '/' ? 1 : 0));
    Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    fd.reset(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (fd && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) socket_ = std::move(fd);
}

void ServiceManager::send(const std::string& message) {
    constexpr std::size_t kMostUnsent = 8;
    if (!socket_) return;
    if (unsent_.size() == kMostUnsent) unsent_.pop_front();
    unsent_.push_back(message);
    retry();
}

bool ServiceManager::retry() {
    while (!unsent_.empty()) {
        const auto& message = unsent_.front();
        const ssize_t size = ::send(socket_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        // Any other error means that nobody is there, about which procsupd can do nothing.
        unsent_.pop_front();
    }
    return false;
}

std::chrono::microseconds ServiceManager::watchdog_interval() const {
    std::uint64_t usec = 0;
    if (!socket_ || sd_watchdog_enabled(0, &usec) <= 0) return {};
    return std::chrono::microseconds(usec);
}

void ServiceManager::alive() { send("WATCHDOG=1"); }

void ServiceManager::ready(std::string_view status) {
    send(fmt::format("READY=1\nSTATUS={}\nMAINPID={}", status, getpid()));
}

void ServiceManager::reloading() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

void ServiceManager::stopping(std::string_view status) { send(fmt::format("STOPPING=1\nSTATUS={}", status)); }

void ServiceManager::status(std::string_view text) { send(fmt::format("STATUS={}", text)); }

void ServiceManager::extend_timeout(std::chrono::microseconds more) {
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
