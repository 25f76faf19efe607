#include "daemon/logger/own_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "common/utf8.h"

namespace procsup::logger {
namespace {

/// After a fault that nobody tells the end of.
constexpr auto kRetryPause = std::chrono::seconds(1);

/// For a terminal: what would steer it is shown instead.
void add_harmless(std::string& shown, std::string_view text) {
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
}

/// As many whole lines as a pipe takes all of or nothing (pipe(7)): others who write there cannot get in between. A longer line
/// alone.
std::string_view next_part(std::string_view lines) {
    if (lines.size() <= PIPE_BUF) return lines;
    if (const auto last = lines.rfind('\n', PIPE_BUF - 1); last != std::string_view::npos)
        return lines.substr(0, last + 1);
    return lines.substr(0, lines.find('\n', PIPE_BUF) + 1);
}

}  // namespace

OwnOutput::OwnOutput(EventLoop& loop, int out, OutputRest& rest)
    : loop_(loop), rest_(rest), given_(out), terminal_(isatty(out) != 0) {
    if (rest_.size > OutputRest::kMost) rest_.size = 0;
    if (rest_.size > 0) (void)end_line();
}

/// A flag of the description is shared with everyone who has it. So is the place in a file: others would write over what
/// is written by another description. A socket cannot be opened anew, but asked not to wait.
void OwnOutput::open() {
    if (way_ != Way::Closed) return;
    struct stat status {};
    const bool there = fstat(given_, &status) == 0;
    const bool file = there && S_ISREG(status.st_mode);
    constexpr int kFlags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    if (!file) out_.reset(::open(fmt::format("/proc/self/fd/{}", given_).c_str(), kFlags));
    if (out_) {
        way_ = Way::Own;
        return;
    }
    out_.reset(fcntl(given_, F_DUPFD_CLOEXEC, 3));
    if (!out_) return;
    int ends[2];
    if (file) {
        way_ = Way::File;
    } else if (S_ISSOCK(status.st_mode)) {
        way_ = Way::Socket;
    } else if (S_ISFIFO(status.st_mode) && pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        step_out_.reset(ends[0]);
        step_in_.reset(ends[1]);
        way_ = Way::SharedPipe;
    } else {
        way_ = Way::Shared;
    }
}

Result<void> OwnOutput::look(std::int64_t /*now*/) {
    open();
    if (way_ == Way::Closed) return os_failure("write to procsupd's standard output", EBADF);
    return {};
}

Error OwnOutput::failure(int error) {
    error_ = error;
    if (error == EAGAIN) return Error{"procsupd's standard output does not take it: nobody reads there", EAGAIN};
    return os_failure("write to procsupd's standard output", error);
}

Result<std::size_t> OwnOutput::append(std::string_view lines) {
    if (auto ended = end_line(); !ended) return ended.error();
    std::size_t taken = 0;
    while (taken < lines.size()) {
        const auto part = next_part(lines.substr(taken));
        const auto written = put(part);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            const auto error = failure(written == 0 ? EAGAIN : errno);
            if (taken == 0) return error;
            break;
        }
        taken += static_cast<std::size_t>(written);
        if (static_cast<std::size_t>(written) == part.size()) continue;
        if (lines[taken - 1] != '\n') {
            const auto end = lines.find('\n', taken) + 1;
            keep_rest(lines.substr(taken, end - taken));
            taken = end;
        }
        break;
    }
    return taken;
}

void OwnOutput::keep_rest(std::string_view rest) {
    rest = rest.substr(0, OutputRest::kMost);
    memcpy(rest_.text + OutputRest::kMost - rest.size(), rest.data(), rest.size());
    rest_.size.store(static_cast<std::uint32_t>(rest.size()), std::memory_order_release);
    error_ = EAGAIN;
    watch_room();
}

/// Nothing is left of the line that was begun.
Result<void> OwnOutput::end_line() {
    open();
    while (rest_.size > 0) {
        const std::string_view rest(rest_.text + OutputRest::kMost - rest_.size, rest_.size);
        const auto written = put(rest);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            const auto error = failure(written == 0 ? EAGAIN : errno);
            watch_room();
            return error;
        }
        rest_.size.store(static_cast<std::uint32_t>(rest.size() - static_cast<std::size_t>(written)),
                         std::memory_order_release);
    }
    error_ = 0;
    return {};
}

long OwnOutput::put(std::string_view bytes) const {
    switch (way_) {
        case Way::Closed: errno = EBADF; return -1;
        case Way::Own:
        case Way::File: break;
        case Way::Socket: return send(out_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        case Way::SharedPipe: return put_by_splice(bytes);
        case Way::Shared:
            // A terminal whose user is another one: where there is room a little is taken at once.
            pollfd ready{out_.get(), POLLOUT, 0};
            if (poll(&ready, 1, 0) == 0) {
                errno = EAGAIN;
                return -1;
            }
            bytes = bytes.substr(0, PIPE_BUF);
    }
    return write(out_.get(), bytes.data(), bytes.size());
}

/// The pipe of a container whose user may not open it anew: only splice(2) between pipes can be asked not to wait.
long OwnOutput::put_by_splice(std::string_view bytes) const {
    const auto size = write(step_in_.get(), bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
    if (size <= 0) return size;
    const auto moved = splice(step_out_.get(), nullptr, out_.get(), nullptr, static_cast<std::size_t>(size),
                              SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    const int error = errno;
    char left[PIPE_BUF];
    if (moved < size) (void)!read(step_out_.get(), left, sizeof(left));
    errno = error;
    return moved;
}

void OwnOutput::add_line(std::string& lines, std::string_view instance, std::string_view text) const {
    lines.append(instance).append(" | ");
    if (terminal_) {
        add_harmless(lines, text);
    } else {
        lines += text;
    }
    lines += '\n';
}

void OwnOutput::when_room(std::function<void()> then) {
    then_.push_back(std::move(then));
    watch_room();
}

/// What is gone is always ready, and a file cannot be watched.
void OwnOutput::watch_room() {
    if (room_) return;
    if (error_ == EAGAIN)
        room_ = loop_.watch_fd(out_.get(), EPOLLOUT, Priority::Client, [this](std::uint32_t) { on_room(); });
    if (!room_) room_ = loop_.call_at(loop_.now() + kRetryPause, [this] { on_room(); });
}

void OwnOutput::on_room() {
    room_.reset();
    if (!end_line()) return;
    for (const auto& then : std::exchange(then_, {})) then();
}

}  // namespace procsup::logger
