#include "daemon/logger/mirror.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "common/utf8.h"

namespace procsup::logger {
namespace {

/// For a terminal: what would steer it is shown instead.
std::string harmless(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text[0]);
        const auto length = utf8_sequence(text);
        // C1 controls are U+0080 to U+009F: two bytes.
        const bool control = length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f || length == 0 || control) {
            shown += fmt::format("\\x{:02x}", byte);
            text.remove_prefix(1);
        } else {
            shown += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return shown;
}

}  // namespace

Mirror::Mirror(EventLoop& loop, int out) : loop_(loop), terminal_(isatty(out) != 0) {
    struct stat status {};
    const bool file = fstat(out, &status) == 0 && S_ISREG(status.st_mode);
    // A flag of the description is shared with everyone who has it. So is the place in a file: others would write over what
    // is written by another description. A socket cannot be opened anew, but asked not to wait.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    if (!file) out_.reset(open(fmt::format("/proc/self/fd/{}", out).c_str(), kFlags));
    if (out_) return;
    out_.reset(fcntl(out, F_DUPFD_CLOEXEC, 3));
    int type = 0;
    socklen_t size = sizeof(type);
    socket_ = out_ && getsockopt(out_.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0;
    shared_ = !socket_;
}

long Mirror::put(std::string_view bytes) const {
    if (socket_) return send(out_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (shared_) {
        // The pipe of a container whose user may not open it anew: with room in it, so much is taken at once (pipe(7)).
        pollfd ready{out_.get(), POLLOUT, 0};
        if (poll(&ready, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        bytes = bytes.substr(0, PIPE_BUF);
    }
    return write(out_.get(), bytes.data(), bytes.size());
}

void Mirror::add(std::uint32_t slot, std::string_view instance, std::string_view data) {
    auto& begun = begun_[slot];
    while (!data.empty()) {
        const auto newline = data.find('\n');
        const auto text = data.substr(0, newline);
        const auto room = kLongestLine - std::min(begun.size(), kLongestLine);
        begun += text.substr(0, room);
        const bool ended = newline != std::string_view::npos && text.size() <= room;
        data.remove_prefix(ended ? text.size() + 1 : std::min(text.size(), room));
        if (!ended && begun.size() < kLongestLine) continue;
        add_line(instance, begun);
        begun.clear();
    }
    flush();
}

void Mirror::end_line(std::uint32_t slot, std::string_view instance) {
    const auto begun = begun_.find(slot);
    if (begun == begun_.end()) return;
    if (!begun->second.empty()) add_line(instance, begun->second);
    begun_.erase(begun);
    flush();
}

void Mirror::add_line(std::string_view instance, std::string_view line) {
    if (!out_ || waiting_.size() + instance.size() + line.size() > kMostWaiting) {
        ++lost_;
        return;
    }
    say_losses();
    waiting_.append(instance).append(" | ").append(terminal_ ? harmless(line) : std::string(line)).append("\n");
}

void Mirror::say_losses() {
    if (lost_ == 0) return;
    waiting_ += fmt::format("procsupd | {} {} not repeated here: this was read too slowly\n", lost_,
                            lost_ == 1 ? "line" : "lines");
    lost_ = 0;
}

void Mirror::flush() {
    while (!waiting_.empty()) {
        const auto written = put(waiting_);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) break;
        waiting_.erase(0, static_cast<std::size_t>(written));
    }
    if (waiting_.empty()) {
        room_.reset();
        if (lost_ > 0 && out_) {
            say_losses();
            flush();
        }
        return;
    }
    const bool gone = errno == EPIPE || errno == ENXIO || errno == EBADF;
    if (gone) {
        waiting_.clear();
        out_.reset();
        room_.reset();
    } else if (errno == EAGAIN && !room_) {
        room_ = loop_.watch_fd(out_.get(), EPOLLOUT, Priority::Client, [this](std::uint32_t) { flush(); });
    }
    // After anything else, such as a full disk, the next line tries again.
}

}  // namespace procsup::logger
