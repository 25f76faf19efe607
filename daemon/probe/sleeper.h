#pragma once

#include <cstdint>

namespace procsup::probe {

/// Where the program sleeps, and the only place: until a time, and no longer than until SIGTERM, the end of a child, or
/// something on one descriptor. These signals are blocked for good, so that none is missed.
class Sleeper {
public:
    enum class Woke { TimedOut, Ready, Child, ToldToEnd };

    Sleeper() = default;
    ~Sleeper();
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    /// 0, or -errno.
    long open(bool has_children);

    /// `until` is as monotonic_now(). ToldToEnd comes once; told_to_end() remembers it.
    Woke sleep(std::int64_t until, int fd = -1, short events = 0);
    bool told_to_end() const { return told_to_end_; }

private:
    bool take_signals();

    int signals_ = -1;
    bool told_to_end_ = false;
};

}  // namespace procsup::probe
