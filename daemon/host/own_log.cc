#include "daemon/host/own_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <cstring>

namespace procsup {
namespace {

constexpr std::size_t kLongestLine = 4000;  // less than PIPE_BUF, with room for time and level

int syslog_priority(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::debug: return 7;
        case spdlog::level::warn: return 4;
        case spdlog::level::err: return 3;
        default: return 6;
    }
}

/// A descriptor for standard error whose O_NONBLOCK is not shared with the jobs that inherit standard error. A regular
/// file keeps the shared one: it never says EAGAIN, and a second file offset would overwrite what jobs write.
Fd own_stderr() {
    struct stat status {};
    if (fstat(STDERR_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))) {
        Fd fd(open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        if (fd) return fd;
    }
    return Fd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
}

/// Whether standard error is the journal's stream, by the device and inode it announces (systemd.exec(5),
/// $JOURNAL_STREAM).
bool stderr_is_journal() {
    const char* stream = getenv("JOURNAL_STREAM");
    struct stat status {};
    if (stream == nullptr || fstat(STDERR_FILENO, &status) < 0) return false;
    return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

Fd connect_journal() {
    Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un address{AF_UNIX, "/run/systemd/journal/socket"};
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) return Fd();
    return fd;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\x{:02x}", byte);
        } else {
            result += c;
        }
    }
    return result;
}

class OwnLog::Output final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    Output() : stderr_(own_stderr()) {
        struct stat status {};
        is_socket_ = stderr_ && fstat(stderr_.get(), &status) == 0 && S_ISSOCK(status.st_mode);
        if (stderr_is_journal()) journal_ = connect_journal();
    }

    bool is_journal() const { return static_cast<bool>(journal_); }
    std::uint64_t dropped() const { return dropped_; }

    /// The journal's native protocol: NAME=value lines in one datagram (systemd.io/JOURNAL_NATIVE_PROTOCOL).
    void to_journal(int priority, std::string_view text, std::initializer_list<Field> fields) {
        std::string message = fmt::format("MESSAGE={}\nPRIORITY={}\nSYSLOG_IDENTIFIER=procsupd\n", text, priority);
        for (const auto& [name, value] : fields) message += fmt::format("{}={}\n", name, escaped(value));
        if (send(journal_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) ++dropped_;
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t formatted;
        formatter_->format(message, formatted);
        if (waiting_.size() + formatted.size() > PIPE_BUF) flush_();
        waiting_.append(formatted.data(), formatted.size());
        ++waiting_lines_;
        // What an operator must act on is not kept back.
        if (message.level >= spdlog::level::err) flush_();
    }
    void flush_() override {
        if (waiting_.empty()) return;
        if (untold_ > 0) {
            const auto note = fmt::format("({} lines of this log were dropped: nobody took them)\n", untold_);
            if (put(note)) untold_ = 0;
        }
        if (untold_ > 0 || !put(waiting_)) {
            dropped_ += waiting_lines_;
            untold_ += waiting_lines_;
        }
        waiting_.clear();
        waiting_lines_ = 0;
    }

private:
    bool put(std::string_view line) {
        if (!stderr_) return false;
        const ssize_t size = is_socket_ ? send(stderr_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                        : ::write(stderr_.get(), line.data(), line.size());
        return size == static_cast<ssize_t>(line.size());
    }
    Fd stderr_;
    Fd journal_;
    bool is_socket_ = false;
    std::string
        waiting_;  ///< lines of this turn: at most PIPE_BUF bytes, which a pipe takes whole or not at all (pipe(7))
    std::uint64_t waiting_lines_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t untold_ = 0;
};

OwnLog::OwnLog() : output_(std::make_shared<Output>()), logger_(std::make_shared<spdlog::logger>("procsupd", output_)) {
    logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%e %-5l %v");
    logger_->set_level(spdlog::level::info);
}

void OwnLog::set_level(LogLevel level) {
    switch (level) {
        case LogLevel::Debug: logger_->set_level(spdlog::level::debug); return;
        case LogLevel::Info: logger_->set_level(spdlog::level::info); return;
        case LogLevel::Warn: logger_->set_level(spdlog::level::warn); return;
        case LogLevel::Error: logger_->set_level(spdlog::level::err); return;
    }
}

void OwnLog::write(spdlog::level::level_enum level, std::string_view text, std::initializer_list<Field> fields) {
    if (!logger_->should_log(level)) return;
    const std::string line = escaped(text.substr(0, kLongestLine));
    if (output_->is_journal()) {
        output_->to_journal(syslog_priority(level), line, fields);
    } else {
        logger_->log(level, line);
    }
}

void OwnLog::debug(std::string_view text, std::initializer_list<Field> fields) {
    write(spdlog::level::debug, text, fields);
}
void OwnLog::info(std::string_view text, std::initializer_list<Field> fields) {
    write(spdlog::level::info, text, fields);
}
void OwnLog::warn(std::string_view text, std::initializer_list<Field> fields) {
    write(spdlog::level::warn, text, fields);
}
void OwnLog::error(std::string_view text, std::initializer_list<Field> fields) {
    write(spdlog::level::err, text, fields);
}

void OwnLog::flush() { logger_->flush(); }

std::uint64_t OwnLog::dropped() const { return output_->dropped(); }

}  // namespace procsup
