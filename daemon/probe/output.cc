#include "daemon/probe/output.h"

#include <fcntl.h>

#include <cerrno>

#include "common/raw_syscall.h"

namespace procsup::probe {

long Output::open() {
    size_ = last_size_ = 0;
    is_blank_ = true;
    int ends[2];
    const long made = raw_syscall(SYS_pipe2, ends, O_CLOEXEC);
    if (made < 0) return made;
    fd_ = ends[0];
    inlet_ = ends[1];
    // This end alone: what the command writes to is as it expects it.
    raw_syscall(SYS_fcntl, fd_, F_SETFL, O_NONBLOCK);
    return 0;
}

void Output::let_go_of_inlet() {
    if (inlet_ >= 0) raw_syscall(SYS_close, inlet_);
    inlet_ = -1;
}

void Output::take() {
    char part[1024];
    const long size = raw_syscall(SYS_read, fd_, part, sizeof(part));
    if (size == -EAGAIN || size == -EINTR) return;
    if (size <= 0) return close();
    for (long i = 0; i < size; ++i) add(part[i]);
}

void Output::take_rest() {
    // As much as a pipe has room for; who is left of the command may write on and on.
    constexpr int kMostParts = 64;
    for (int i = 0; i < kMostParts && fd_ >= 0; ++i) take();
    end_line();
}

void Output::close() {
    let_go_of_inlet();
    if (fd_ >= 0) raw_syscall(SYS_close, fd_);
    fd_ = -1;
}

/// What a terminal would have shown in one place counts as lines.
void Output::add(char c) {
    if (c == '\n' || c == '\r') return end_line();
    const bool blank = c == ' ' || c == '\t';
    if (is_blank_ && blank) return;
    is_blank_ = false;
    if (size_ < kMost) text_[size_++] = blank ? ' ' : c == '\0' ? '?' : c;
}

void Output::end_line() {
    if (!is_blank_) {
        for (std::size_t i = 0; i < size_; ++i) last_[i] = text_[i];
        last_size_ = size_;
    }
    size_ = 0;
    is_blank_ = true;
}

const char* Output::line() {
    last_[last_size_] = '\0';
    return last_;
}

}  // namespace procsup::probe
