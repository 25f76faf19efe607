#include "daemon/keeper/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/raw_syscall.h"

namespace procsup::keeper {
namespace {

constexpr int kFirstFieldBehindName = 3;  // of /proc/PID/stat, as proc_pid_stat(5) counts
constexpr int kParent = 4;
constexpr int kStarted = 22;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Appends to what `path` has room for; returns the end.
char* append(char* path, const char* text) {
    while (*text != '\0') *path++ = *text++;
    *path = '\0';
    return path;
}

char* append(char* path, pid_t number) {
    char digits[12];
    char* first = digits + sizeof(digits) - 1;
    for (*first = '\0'; number > 0; number /= 10) *--first = static_cast<char>('0' + number % 10);
    return append(path, first);
}

int open_to_read(const char* path, int flags) {
    return static_cast<int>(raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | flags, 0));
}

void close_fd(int fd) {
    if (fd >= 0) raw_syscall(SYS_close, fd);
}

}  // namespace

pid_t parse_pid(const char* text) {
    pid_t value = 0;
    for (; is_digit(*text); ++text) value = value * 10 + (*text - '0');
    return value;
}

bool proc_counts_as(pid_t self) {
    char text[16];
    const long size = raw_syscall(SYS_readlinkat, AT_FDCWD, "/proc/self", text, sizeof(text) - 1);
    if (size <= 0) return false;
    text[size] = '\0';
    return parse_pid(text) == self;
}

void Process::hold(pid_t pid) {
    pid_ = pid;
    pidfd_ = static_cast<int>(raw_syscall(SYS_pidfd_open, pid, 0));
}

Process::~Process() { close_fd(pidfd_); }

bool Process::read(Stat& stat) const {
    char path[32], text[512];
    append(append(append(path, "/proc/"), pid_), "/stat");
    const int fd = pidfd_ < 0 ? -1 : open_to_read(path, 0);
    if (fd < 0) return false;
    const long size = raw_syscall(SYS_read, fd, text, sizeof(text) - 1);
    close_fd(fd);
    // As long as it exists, its number is no other's.
    if (size <= 0 || !exists()) return false;
    text[size] = '\0';
    // A name may contain anything, so the fields begin behind the last parenthesis.
    long at = size;
    while (at > 0 && text[at] != ')') --at;
    for (int field = kFirstFieldBehindName; field <= kStarted; ++field) {
        while (text[at] != ' ' && text[at] != '\0') ++at;
        if (text[at] == '\0') return false;
        ++at;
        std::uint32_t value = 0;
        for (long i = at; is_digit(text[i]); ++i) value = value * 10 + static_cast<std::uint32_t>(text[i] - '0');
        if (field == kFirstFieldBehindName) stat.state = text[at];
        if (field == kParent) stat.parent = static_cast<pid_t>(value);
        if (field == kStarted) stat.started = value == 0 ? 1 : value;
    }
    return true;
}

bool Process::exists() const {
    return pidfd_ >= 0 && raw_syscall(SYS_pidfd_send_signal, pidfd_, 0, nullptr, 0) != -ESRCH;
}

void Process::signal(int number) const {
    if (pidfd_ >= 0) raw_syscall(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0);
}

pid_t session_of(pid_t pid) {
    const long session = raw_syscall(SYS_getsid, pid);
    return session > 0 ? static_cast<pid_t>(session) : 0;
}

Children::Children(pid_t parent) : thread_(parent) {
    append(append(append(task_, "/proc/"), parent), "/task");
    // The directory of a single thread need not be read: it counts them as links, besides its own two.
    constexpr unsigned kLinksOfOneThread = 3;
    struct stat task;
    task.st_nlink = 0;
    const long result = raw_syscall(SYS_newfstatat, AT_FDCWD, task_, &task, 0);
    if (result < 0) thread_ = 0;
    if (result == 0 && task.st_nlink != kLinksOfOneThread) threads_fd_ = open_to_read(task_, O_DIRECTORY);
}

Children::~Children() {
    close_fd(list_fd_);
    close_fd(threads_fd_);
}

bool Children::open_list(pid_t thread) {
    char path[sizeof(task_) + 24];
    append(append(append(append(path, task_), "/"), thread), "/children");
    list_fd_ = open_to_read(path, 0);
    return list_fd_ >= 0;
}

bool Children::next_thread() {
    close_fd(list_fd_);
    list_fd_ = -1;
    if (threads_fd_ < 0) {
        const pid_t only = thread_;
        thread_ = 0;
        return only != 0 && open_list(only);
    }
    for (;;) {
        if (threads_at_ >= threads_size_) {
            threads_at_ = 0;
            threads_size_ = raw_syscall(SYS_getdents64, threads_fd_, threads_, sizeof(threads_));
            if (threads_size_ <= 0) return false;
        }
        const auto* entry = reinterpret_cast<const dirent64*>(threads_ + threads_at_);
        threads_at_ += entry->d_reclen;
        // "." and ".." are no numbers; a thread that has ended meanwhile has left its children to another.
        const pid_t thread = parse_pid(entry->d_name);
        if (thread > 0 && open_list(thread)) return true;
    }
}

pid_t Children::next() {
    pid_t pid = 0;
    for (;;) {
        // Every number is followed by a space; it may be cut by the end of what was read.
        while (text_at_ < text_size_) {
            const char c = text_[text_at_++];
            if (!is_digit(c)) return pid;
            pid = pid * 10 + (c - '0');
        }
        text_at_ = 0;
        text_size_ = list_fd_ < 0 ? 0 : raw_syscall(SYS_read, list_fd_, text_, sizeof(text_));
        if (text_size_ <= 0 && !next_thread()) return pid;
    }
}

}  // namespace procsup::keeper
