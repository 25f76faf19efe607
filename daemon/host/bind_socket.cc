#include "daemon/host/bind_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "daemon/host/socket_path.h"

namespace procsup {
namespace {

constexpr int kBacklog = 4096;

using Kind = ListenAddress::Kind;

int type_of(Kind kind) { return kind == Kind::Udp || kind == Kind::DatagramPath ? SOCK_DGRAM : SOCK_STREAM; }

Error cannot_bind(const ListenAddress& address, int error) { return os_failure("bind " + to_text(address), error); }

Result<void> start_to_listen(const Fd& fd, const ListenAddress& address) {
    if (type_of(address.kind) == SOCK_STREAM && listen(fd.get(), kBacklog) < 0)
        return os_failure("listen on " + to_text(address), errno);
    return {};
}

struct InternetAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
    int family = AF_INET;
};

InternetAddress internet_address(const ListenAddress& address, int family) {
    InternetAddress result;
    result.family = family;
    const bool all = address.host == "*";
    if (family == AF_INET6) {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(address.port);
        inet_pton(AF_INET6, all ? "::" : address.host.c_str(), &six.sin6_addr);
        memcpy(&result.storage, &six, sizeof(six));
        result.size = sizeof(six);
    } else {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(address.port);
        inet_pton(AF_INET, all ? "0.0.0.0" : address.host.c_str(), &four.sin_addr);
        memcpy(&result.storage, &four, sizeof(four));
        result.size = sizeof(four);
    }
    return result;
}

Result<BoundSocket> bind_internet(const ListenAddress& address) {
    const bool all = address.host == "*";
    int family = all || address.host.find(':') != std::string::npos ? AF_INET6 : AF_INET;
    Fd fd(socket(family, type_of(address.kind) | SOCK_CLOEXEC, 0));
    if (!fd && all && errno == EAFNOSUPPORT) {
        // A machine without IPv6.
        family = AF_INET;
        fd.reset(socket(family, type_of(address.kind) | SOCK_CLOEXEC, 0));
    }
    if (!fd) return os_failure("make a socket for " + to_text(address), errno);
    const int on = 1, only_six = all ? 0 : 1;
    // Whatever the machine's net.ipv6.bindv6only says.
    if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_six, sizeof(only_six));
    // Connections of before that are not over yet do not hinder. With UDP it would let another bind the same.
    if (address.kind == Kind::Tcp) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const auto there = internet_address(address, family);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&there.storage), there.size) < 0)
        return cannot_bind(address, errno);
    if (auto done = start_to_listen(fd, address); !done) return done.error();
    return BoundSocket{std::move(fd)};
}

Result<BoundSocket> bind_abstract(const ListenAddress& address) {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return os_failure("make a socket for " + to_text(address), errno);
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    memcpy(there.sun_path + 1, address.path.data(), address.path.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + address.path.size());
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&there), size) < 0) return cannot_bind(address, errno);
    if (auto done = start_to_listen(fd, address); !done) return done.error();
    return BoundSocket{std::move(fd)};
}

/// A path in the form of an address. It was found to fit.
sockaddr_un unix_address(const std::string& path) {
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    memcpy(there.sun_path, path.data(), std::min(path.size(), sizeof(there.sun_path) - 1));
    return there;
}

bool is_listened_on(const std::string& path, int type) {
    const Fd client(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto there = unix_address(path);
    // EPROTOTYPE: by a socket of another type. EAGAIN: its queue is full.
    return connect(client.get(), reinterpret_cast<const sockaddr*>(&there), sizeof(there)) == 0 ||
           errno != ECONNREFUSED;
}

/// What a process that was killed has left.
Result<void> remove_stale(const SocketPlace& place, const ListenAddress& address) {
    struct stat status {};
    if (fstatat(place.dir.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT) return {};
        return os_failure("look at " + address.path, errno);
    }
    if (S_ISLNK(status.st_mode))
        return Error{"cannot bind " + address.path + ": there is a link, which is not followed", EEXIST};
    if (!S_ISSOCK(status.st_mode))
        return Error{"cannot bind " + address.path + ": there is something that is no socket", EEXIST};
    if (is_listened_on(place.bind_path, type_of(address.kind))) return cannot_bind(address, EADDRINUSE);
    if (unlinkat(place.dir.get(), place.name.c_str(), 0) < 0 && errno != ENOENT)
        return os_failure("replace " + address.path + ", on which nobody listens", errno);
    return {};
}

/// The file that bind(2) has just made, and its owner. In a directory of its own a user can put another in its place meanwhile:
/// that is not given to anyone.
Result<SocketFile> give_file(const SocketPlace& place, const ListeningSocket& wanted, const std::string& path) {
    const Fd file(openat(place.dir.get(), place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!file || fstat(file.get(), &status) < 0) return os_failure("look at " + path, errno);
    if (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1)
        return Error{"cannot bind " + path + ": somebody has put something else in its place", EPERM};
    const bool same = status.st_uid == wanted.uid && status.st_gid == wanted.gid;
    if (!same && fchownat(file.get(), "", wanted.uid, wanted.gid, AT_EMPTY_PATH) < 0)
        return os_failure("change the owner of " + path, errno);
    return SocketFile{path, status.st_dev, status.st_ino};
}

Result<BoundSocket> bind_path(const ListeningSocket& wanted, const ListenAddress& address) {
    auto place = open_socket_place(address.path);
    if (!place) return place.error();
    Fd fd(socket(AF_UNIX, type_of(address.kind) | SOCK_CLOEXEC, 0));
    if (!fd) return os_failure("make a socket for " + address.path, errno);
    // The file gets the mode of the socket: at no time has it another one (unix_bind() in the kernel).
    umask(0);
    if (fchmod(fd.get(), wanted.mode) < 0) return os_failure("set the mode of " + address.path, errno);
    if (auto done = remove_stale(*place, address); !done) return done.error();
    const auto there = unix_address(place->bind_path);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof(there)) < 0)
        return cannot_bind(address, errno);
    auto file = give_file(*place, wanted, address.path);
    if (!file) return file.error();
    if (auto done = start_to_listen(fd, address); !done) return done.error();
    return BoundSocket{std::move(fd), std::move(*file)};
}

}  // namespace

Result<BoundSocket> bind_socket(const ListeningSocket& socket) {
    const auto address = parse_listen(socket.listen);
    if (!address) return Error{"cannot listen: " + address.error().message, EINVAL};
    switch (address->kind) {
        case Kind::Tcp:
        case Kind::Udp: return bind_internet(*address);
        case Kind::Path:
        case Kind::DatagramPath: return bind_path(socket, *address);
        case Kind::Abstract: return bind_abstract(*address);
        case Kind::Inherited: break;
    }
    return Error{"cannot bind an inherited socket", EINVAL};
}

Result<void> remove_socket(const SocketFile& file) {
    const auto place = open_socket_place(file.path);
    // With its directory it has gone too.
    if (!place && place.error().os_error == ENOENT) return {};
    if (!place) return place.error();
    struct stat status {};
    if (fstatat(place->dir.get(), place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? Result<void>() : os_failure("look at " + file.path, errno);
    if (status.st_dev != file.device || status.st_ino != file.inode || !S_ISSOCK(status.st_mode)) return {};
    if (unlinkat(place->dir.get(), place->name.c_str(), 0) < 0 && errno != ENOENT)
        return os_failure("remove socket " + file.path, errno);
    return {};
}

}  // namespace procsup
