#include "daemon/host/ready_channels.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/host/child.h"
#include "daemon/host/notice_text.h"

namespace procsup {
namespace {

constexpr int kBatch = 64;
constexpr Duration kShortestRest = std::chrono::milliseconds(2);
constexpr Duration kLongestRest = std::chrono::milliseconds(16);
constexpr std::size_t kLongestDatagram = 4096;
/// In a line of a probe: what its command has written follows.
constexpr std::string_view kOutputMark = ":\t";

/// With a number that leaves those free that children need.
Fd kept(Fd fd) { return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstKeptFd)); }

/// Of nobody: process 0.
ucred sender_of(msghdr& message) {
    ucred credentials{};
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS) continue;
        memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
    }
    return credentials;
}

Notice too_long_notice() {
    Notice notice;
    notice.refused = "a notification was not taken: it is longer than " + std::to_string(kLongestDatagram) + " bytes";
    return notice;
}

/// Lets nobody send any more; whether there is nothing that has been sent and not received.
bool end_input(const Fd& socket) {
    shutdown(socket.get(), SHUT_RD);
    char byte;
    return recv(socket.get(), &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) < 0;
}

}  // namespace

void ReadyChannels::set_runtime_dir(const std::string& path) {
    dir_ = path.empty() ? path : path + "/notify";
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(dir_.c_str()), closedir);
    if (!listing) return;
    while (const dirent* entry = readdir(listing.get())) {
        if (entry->d_name[0] != '.') unlinkat(dirfd(listing.get()), entry->d_name, 0);
    }
    rmdir(dir_.c_str());
}

Result<Fd> ReadyChannels::open_pipe(Incarnation incarnation) {
    return open_pipe(incarnation, &ReadyChannels::read_pipe);
}

Result<Fd> ReadyChannels::open_reports(Incarnation incarnation) {
    return open_pipe(incarnation, &ReadyChannels::read_reports);
}

Result<Fd> ReadyChannels::open_health_reports(Incarnation incarnation) {
    return open_pipe(incarnation, &ReadyChannels::read_health_reports);
}

Result<Fd> ReadyChannels::open_pipe(Incarnation incarnation, Read read) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    Fd ours(ends[0]), theirs(ends[1]);
    ours = kept(std::move(ours));
    if (!ours || fcntl(ours.get(), F_SETFL, O_NONBLOCK) < 0) return os_failure("make a pipe", errno);
    Channel& channel = channels_[incarnation];
    channel.fd = std::move(ours);
    channel.watch =
        loop_.watch_fd(channel.fd.get(), EPOLLIN, Priority::SpawnResult,
                       [this, incarnation, &channel, read](std::uint32_t) { (this->*read)(incarnation, channel); });
    return theirs;
}

/// After the first line nobody listens any more: who goes on writing is told so by SIGPIPE, as with s6.
void ReadyChannels::read_pipe(Incarnation incarnation, Channel& channel) {
    char text[512];
    const ssize_t size = read(channel.fd.get(), text, sizeof(text));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const bool line = size > 0 && memchr(text, '\n', static_cast<std::size_t>(size)) != nullptr;
    if (size > 0 && !line) return;
    channels_.erase(incarnation);
    if (line) return observer_.said_ready(incarnation);
    observer_.hindered(incarnation, ", which it has closed without a line", {});
}

/// The newest line is what counts. The probe writes whole ones, and each only once. Gives it in two parts, the second of which is
/// what the command of the probe has written.
template <typename Take>
void ReadyChannels::read_newest_report(Incarnation incarnation, Channel& channel, const Take& take) {
    char text[4096];
    const ssize_t size = read(channel.fd.get(), text, sizeof(text));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        channels_.erase(incarnation);
        return;
    }
    std::string_view lines(text, static_cast<std::size_t>(size));
    if (lines.back() == '\n') lines.remove_suffix(1);
    if (const auto end = lines.rfind('\n'); end != std::string_view::npos) lines.remove_prefix(end + 1);
    const auto behind = std::min(lines.find(kOutputMark), lines.size());
    take(lines.substr(0, behind), lines.substr(std::min(behind + kOutputMark.size(), lines.size())));
    channel.next_rest = kLongestRest;
    rest(channel);
}

void ReadyChannels::read_reports(Incarnation incarnation, Channel& channel) {
    read_newest_report(incarnation, channel, [&](std::string_view how, std::string_view said) {
        observer_.hindered(incarnation, ": " + line_for_people(how), line_for_people(said));
    });
}

/// "unhealthy: cannot connect", see daemon/probe/watch.h. What is something else says nothing.
void ReadyChannels::read_health_reports(Incarnation incarnation, Channel& channel) {
    read_newest_report(incarnation, channel, [&](std::string_view how, std::string_view said) {
        const auto word = how.substr(0, how.find(':'));
        const auto reason = how.substr(std::min(word.size() + 2, how.size()));
        if (word != "healthy" && word != "unhealthy" && word != "unknown") return;
        const auto verdict = word == "healthy"     ? HealthVerdict::Healthy
                             : word == "unhealthy" ? HealthVerdict::Unhealthy
                                                   : HealthVerdict::Unknown;
        observer_.looked_at_health(incarnation, verdict, line_for_people(reason), line_for_people(said));
    });
}

Result<std::string> ReadyChannels::open_socket(Incarnation incarnation, const JobSpec& spec) {
    Fd fd = kept(Fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
    constexpr int kYes = 1;
    if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &kYes, sizeof(kYes)) < 0) {
        return os_failure("make a notification socket", errno);
    }
    auto path = bind_socket(fd, incarnation, spec);
    if (!path) return path;
    Channel& channel = channels_[incarnation];
    channel.fd = std::move(fd);
    if (path->front() == '/') channel.path = *path;
    channel.next_rest = kShortestRest;
    channel.watch = loop_.watch_fd(channel.fd.get(), EPOLLIN, Priority::SpawnResult,
                                   [this, incarnation, &channel](std::uint32_t) { read_socket(incarnation, channel); });
    return path;
}

Result<std::string> ReadyChannels::bind_socket(const Fd& socket, Incarnation incarnation, const JobSpec& spec) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_ + "/" + std::to_string(incarnation);
    if (dir_.empty() || path.size() >= sizeof(address.sun_path)) {
        // A name that the kernel chooses (unix(7), autobind).
        socklen_t size = sizeof(address);
        if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) < 0 ||
            getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
            return os_failure("bind a notification socket", errno);
        }
        return "@" + std::string(address.sun_path + 1, size - sizeof(sa_family_t) - 1);
    }
    if (mkdir(dir_.c_str(), 0755) < 0 && errno != EEXIST) return os_failure("make " + dir_, errno);
    memcpy(address.sun_path, path.c_str(), path.size() + 1);
    // A job that is root may give that up; of any other the user stays. The socket's mode becomes the file's, but for the umask.
    const bool own_user = spec.identity && spec.identity->uid != 0;
    const bool for_all = !own_user && geteuid() == 0;
    if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0 ||
        (own_user && geteuid() == 0 && chown(path.c_str(), spec.identity->uid, static_cast<gid_t>(-1)) < 0) ||
        chmod(path.c_str(), for_all ? 0666 : 0600) < 0) {
        const int fault = errno;
        unlink(path.c_str());
        return os_failure("bind " + path, fault);
    }
    return path;
}

void ReadyChannels::read_socket(Incarnation incarnation, Channel& channel) {
    for (int i = 0; i < kBatch; ++i) {
        const auto next = read_datagram(incarnation, channel.fd);
        if (next == Next::Datagram) continue;
        if (next == Next::Descriptors) return let_go_of_next(incarnation, channel);
        channel.next_rest = kShortestRest;
        return;
    }
    rest(channel);
}

void ReadyChannels::rest(Channel& channel) {
    channel.watch->set_events(0);
    channel.rest = loop_.call_at(loop_.now() + channel.next_rest, [&channel] {
        channel.rest.reset();
        channel.watch->set_events(EPOLLIN);
    });
    channel.next_rest = std::min(2 * channel.next_rest, kLongestRest);
}

void ReadyChannels::let_go_of_next(Incarnation incarnation, Channel& channel) {
    channel.watch->set_events(0);
    channel.is_taken = true;
    disposer_.take_message(channel.fd, [this, incarnation] {
        const auto found = channels_.find(incarnation);
        if (found == channels_.end()) return;
        found->second.is_taken = false;
        rest(found->second);
    });
}

/// Looks at it before it is taken: what brings descriptors must not become ours, as we could not close them.
ReadyChannels::Next ReadyChannels::read_datagram(Incarnation incarnation, const Fd& socket) {
    char text[kLongestDatagram];
    // Room for nothing but who has sent it.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
    iovec vector{text, sizeof(text)};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t size = recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_PEEK);
    if (size < 0) return errno == EINTR ? Next::Datagram : Next::Nothing;
    const ucred sender = sender_of(message);
    if (sender.pid > 0 && size > 0) {
        // Of one that is too long it is not known what else it says.
        const bool whole = (message.msg_flags & MSG_TRUNC) == 0;
        observer_.said(incarnation, sender.pid, sender.uid,
                       whole ? parse_notice({text, static_cast<std::size_t>(size)}) : too_long_notice());
    }
    if ((message.msg_flags & MSG_CTRUNC) != 0) return Next::Descriptors;
    recv(socket.get(), nullptr, 0, MSG_DONTWAIT | MSG_TRUNC);
    return Next::Datagram;
}

void ReadyChannels::close(Incarnation incarnation) {
    const auto found = channels_.find(incarnation);
    if (found == channels_.end()) return;
    const auto path = std::move(found->second.path);
    Fd fd = std::move(found->second.fd);
    // A look at a message has its descriptors for a moment, and would have them last if it is being taken.
    const bool is_taken = found->second.is_taken;
    channels_.erase(found);
    if (is_taken || !end_input(fd)) disposer_.close(fd.release());
    if (path.empty()) return;
    unlink(path.c_str());
    // With the last one it goes too.
    rmdir(dir_.c_str());
}

}  // namespace procsup
