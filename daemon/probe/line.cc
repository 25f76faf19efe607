#include "daemon/probe/line.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup::probe {
namespace {

constexpr int kStandardError = 2;
constexpr std::size_t kMostOfName = 90;

/// What the calls here can be refused with; nullptr for anything else.
const char* meaning(long errno_value) {
    switch (errno_value) {
        case E2BIG: return "Argument list too long";
        case EACCES: return "Permission denied";
        case EADDRNOTAVAIL: return "Cannot assign requested address";
        case EAFNOSUPPORT: return "Address family not supported by protocol";
        case EAGAIN: return "Resource temporarily unavailable";
        case EBADF: return "Bad file descriptor";
        case ECONNABORTED: return "Software caused connection abort";
        case ECONNREFUSED: return "Connection refused";
        case ECONNRESET: return "Connection reset by peer";
        case EHOSTDOWN: return "Host is down";
        case EHOSTUNREACH: return "No route to host";
        case EINVAL: return "Invalid argument";
        case EIO: return "Input/output error";
        case EISDIR: return "Is a directory";
        case ELOOP: return "Too many levels of symbolic links";
        case EMFILE: return "Too many open files";
        case ENAMETOOLONG: return "File name too long";
        case ENETDOWN: return "Network is down";
        case ENETUNREACH: return "Network is unreachable";
        case ENFILE: return "Too many open files in system";
        case ENOBUFS: return "No buffer space available";
        case ENOENT: return "No such file or directory";
        case ENOEXEC: return "Exec format error";
        case ENOMEM: return "Cannot allocate memory";
        case ENOSYS: return "Function not implemented";
        case ENOTDIR: return "Not a directory";
        case EPERM: return "Operation not permitted";
        case EPIPE: return "Broken pipe";
        case EPROTOTYPE: return "Protocol wrong type for socket";
        case ESTALE: return "Stale file handle";
        case ETIMEDOUT: return "Connection timed out";
        case ETXTBSY: return "Text file busy";
        default: return nullptr;
    }
}

const char* signal_name(int number) {
    switch (number) {
        case SIGHUP: return "SIGHUP";
        case SIGINT: return "SIGINT";
        case SIGQUIT: return "SIGQUIT";
        case SIGILL: return "SIGILL";
        case SIGTRAP: return "SIGTRAP";
        case SIGABRT: return "SIGABRT";
        case SIGBUS: return "SIGBUS";
        case SIGFPE: return "SIGFPE";
        case SIGKILL: return "SIGKILL";
        case SIGUSR1: return "SIGUSR1";
        case SIGSEGV: return "SIGSEGV";
        case SIGUSR2: return "SIGUSR2";
        case SIGPIPE: return "SIGPIPE";
        case SIGALRM: return "SIGALRM";
        case SIGTERM: return "SIGTERM";
        case SIGXCPU: return "SIGXCPU";
        case SIGXFSZ: return "SIGXFSZ";
        case SIGSYS: return "SIGSYS";
        default: return nullptr;
    }
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// How many bytes the printable character at `text` has; 0: there is none, but a control character or what is not UTF-8.
std::size_t printable(const char* text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
    if (first < 0xC2) return 0;
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    unsigned value = first & (0x7FU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (!is_continuation(text[i])) return 0;
        value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    // It needs so many bytes, and is no control character, half of a pair, or line end.
    constexpr unsigned kFirstOf[] = {0, 0, 0xA0, 0x800, 0x10000};
    const bool line_end = value == 0x2028 || value == 0x2029;
    const bool half = value >= 0xD800 && value <= 0xDFFF;
    return value >= kFirstOf[size] && value <= 0x10FFFF && first < 0xF8 && !half && !line_end ? size : 0;
}

}  // namespace

bool Line::is(const Line& other) const {
    for (std::size_t i = 0; i < size_ && i < other.size_; ++i) {
        if (text_[i] != other.text_[i]) return false;
    }
    return size_ == other.size_;
}

bool Line::append(char c) {
    if (size_ == kMost - 1) return false;
    text_[size_++] = c;
    return true;
}

Line& Line::operator<<(const char* text) {
    while (*text != '\0' && append(*text)) ++text;
    return *this;
}

Line& Line::operator<<(long number) {
    char digits[24];
    char* first = digits + sizeof(digits) - 1;
    *first = '\0';
    do {
        *--first = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return *this << first;
}

/// The whole character at `text`, or nothing of it; returns where the next one is.
const char* Line::append_character(const char* text) {
    const std::size_t size = printable(text);
    if (size == 0) append('?');
    if (size > kMost - 1 - size_) return text + size;
    for (std::size_t i = 0; i < size; ++i) append(text[i]);
    return text + (size == 0 ? 1 : size);
}

Line& Line::name(const char* text, char end) {
    std::size_t size = 0;
    while (text[size] != '\0' && text[size] != end) ++size;
    if (size > kMostOfName) {
        text += size - kMostOfName;
        while (is_continuation(*text)) ++text;
        *this << "...";
    }
    while (*text != '\0' && *text != end) text = append_character(text);
    return *this;
}

Line& Line::line(const Line& other) {
    *this << ": ";
    for (std::size_t i = 0; i < other.size_; ++i) append(other.text_[i]);
    return *this;
}

Line& Line::output(const char* text) {
    *this << ":\t";
    while (*text != '\0') text = append_character(text);
    return *this;
}

Line& Line::duration(long milliseconds) {
    if (milliseconds % 1000 == 0) return *this << milliseconds / 1000 << "s";
    return *this << milliseconds << "ms";
}

Line& Line::signal(int number) {
    const char* known = signal_name(number);
    if (known != nullptr) return *this << known;
    return *this << "signal " << number;
}

Line& Line::cause(long errno_value) {
    const char* known = meaning(errno_value);
    if (known != nullptr) return *this << ": " << known;
    return *this << ": error " << errno_value;
}

const char* Line::with_end() {
    text_[size_] = '\n';
    return text_;
}

void Line::say() {
    for (std::size_t i = 0; i < size_; ++i) {
        if (text_[i] == '\t') text_[i] = ' ';
    }
    pollfd room{kStandardError, POLLOUT, 0};
    const timespec patience{1, 0};
    // With room for anything there is room for this (pipe(7)).
    if (raw_syscall(SYS_ppoll, &room, 1, &patience, nullptr, 0) != 1) return;
    raw_syscall(SYS_write, kStandardError, with_end(), size_ + 1);
}

bool Line::tell(int fd) {
    const auto whole = static_cast<long>(size_ + 1);
    // The description of a file may be shared, so that it is not for this program to make it non-blocking.
    long sent = raw_syscall(SYS_sendto, fd, with_end(), whole, MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
    if (sent == -ENOTSOCK) {
        pollfd room{fd, POLLOUT, 0};
        const timespec at_once{};
        raw_syscall(SYS_ppoll, &room, 1, &at_once, nullptr, 0);
        if (room.revents == POLLOUT) sent = raw_syscall(SYS_write, fd, with_end(), whole);
    }
    return sent == whole;
}

}  // namespace procsup::probe
