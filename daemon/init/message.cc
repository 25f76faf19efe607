#include "daemon/init/message.h"

#include <poll.h>
#include <time.h>

#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup::init {
namespace {

/// What execve(2) and the other calls here can be refused with; nullptr for anything else.
const char* meaning(long errno_value) {
    switch (errno_value) {
        case ENOENT: return "No such file or directory";
        case EACCES: return "Permission denied";
        case EPERM: return "Operation not permitted";
        case ENOTDIR: return "Not a directory";
        case EISDIR: return "Is a directory";
        case ELOOP: return "Too many levels of symbolic links";
        case ENAMETOOLONG: return "File name too long";
        case ENOEXEC: return "Exec format error";
        case ETXTBSY: return "Text file busy";
        case E2BIG: return "Argument list too long";
        case ENOMEM: return "Cannot allocate memory";
        case EAGAIN: return "Resource temporarily unavailable";
        case EIO: return "Input/output error";
        case ENFILE: return "Too many open files in system";
        case EMFILE: return "Too many open files";
        default: return nullptr;
    }
}

}  // namespace

Message::Message(const char* text) { *this << "procsup-init: " << text; }

Message::~Message() {
    *this << "\n";
    text_[size_ - 1] = '\n';
    // A reader who is stopped, or a terminal that is, holds up nothing; with room for anything there is room for this (pipe(7)).
    constexpr int kStandardError = 2;
    pollfd room{kStandardError, POLLOUT, 0};
    const timespec patience{1, 0};
    if (raw_syscall(SYS_ppoll, &room, 1, &patience, nullptr, 0) == 1) {
        raw_syscall(SYS_write, kStandardError, text_, size_);
    }
}

Message& Message::operator<<(const char* text) {
    while (*text != '\0' && size_ < sizeof(text_)) text_[size_++] = *text++;
    return *this;
}

Message& Message::operator<<(long number) {
    char digits[24];
    char* first = digits + sizeof(digits) - 1;
    *first = '\0';
    do {
        *--first = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return *this << first;
}

Message& Message::cause(long errno_value) {
    const char* known = meaning(errno_value);
    if (known != nullptr) return *this << ": " << known;
    return *this << ": error " << errno_value;
}

}  // namespace procsup::init
