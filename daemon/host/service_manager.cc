#include "daemon/host/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
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

namespace {

struct Inherited {
    Fd fd;
    std::string name;
    bool is_control = false;  ///< it could be
    bool at_our_path = false;
};

bool is_at_our_path(const Fd& socket) {
    sockaddr_un there{};
    socklen_t size = sizeof(there);
    if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&there), &size) < 0) return false;
    const std::string path(there.sun_path, strnlen(there.sun_path, sizeof(there.sun_path)));
    return path.ends_with("/io.procsupd");
}

std::vector<Inherited> take_inherited() {
    std::vector<Inherited> all;
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        const Fd low(SD_LISTEN_FDS_START + i);
        const std::string name = names != nullptr && names[i] != nullptr ? names[i] : "";
        if (names != nullptr) free(names[i]);
        if (sd_is_socket(low.get(), AF_UNSPEC, 0, -1) <= 0) continue;
        Inherited one{Fd(fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstKeptFd)), name};
        if (!one.fd) continue;
        one.is_control = sd_is_socket_unix(one.fd.get(), SOCK_STREAM, 1, nullptr, 0) > 0;
        one.at_our_path = one.is_control && is_at_our_path(one.fd);
        // Where a unit says nothing the name is its own; where nobody says anything it is "unknown".
        one.is_control = one.is_control && (name.empty() || name == "unknown" || name.ends_with(".socket"));
        all.push_back(std::move(one));
    }
    free(names);
    return all;
}

}  // namespace

InheritedSockets inherited_sockets() {
    InheritedSockets sockets;
    auto all = take_inherited();
    auto control = std::find_if(all.begin(), all.end(), [](const Inherited& one) { return one.at_our_path; });
    if (control == all.end()) {
        control = std::find_if(all.begin(), all.end(), [](const Inherited& one) { return one.is_control; });
    }
    if (control != all.end()) {
        sockets.control = std::move(control->fd);
        fcntl(sockets.control.get(), F_SETFL, fcntl(sockets.control.get(), F_GETFL) | O_NONBLOCK);
        all.erase(control);
    }
    for (auto& one : all) {
        // Never for a job, though it be one too many.
        if (!one.at_our_path) sockets.others[one.name].push_back(std::move(one.fd));
    }
    return sockets;
}

}  // namespace procsup
