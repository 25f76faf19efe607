#pragma once

#include <sys/types.h>

namespace procsup::init {

/// The controlling terminal, where there is one. Whoever is in its foreground gets what is typed; the command gets
/// that place while procsup-init's own process group has it, and gives it back at the end. Called with SIGTTOU blocked, so that a
/// process in the background may do this (tcsetpgrp(3)).
class Terminal {
public:
    /// Takes a descriptor of its own, which is close-on-exec and above 2.
    void open();
    bool is_there() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    /// Whether the caller's process group is in the foreground.
    bool is_ours() const;
    /// Whether that is so, or the group in the foreground has no process any more.
    bool is_free() const;
    bool is_of(pid_t group) const { return foreground() == group; }
    void give_to(pid_t group) const;

private:
    pid_t foreground() const;

    int fd_ = -1;
};

}  // namespace procsup::init
