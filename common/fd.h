#pragma once

#include <utility>

namespace procsup {

/// Descriptors that a program keeps long have numbers from here on, out of the way of those that its children need.
inline constexpr int kFirstKeptFd = 64;

/// Closes descriptors for somebody whom that must not block.
class FdCloser {
public:
    virtual ~FdCloser() = default;
    virtual void close(int number) = 0;
};

/// Owns one file descriptor and closes it exactly once. Never a plain int by accident: the number is
/// only had by get().
class Fd {
public:
    Fd() = default;
    /// `closer` closes it, where there is one, and lives longer.
    explicit Fd(int number, FdCloser* closer = nullptr) : number_(number), closer_(closer) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)), closer_(other.closer_) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this == &other) return *this;
        reset(std::exchange(other.number_, -1));
        closer_ = other.closer_;
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

    /// Gives the descriptor up without closing it.
    int release() { return std::exchange(number_, -1); }
    /// Closes what is owned, then owns `number`. errno is kept.
    void reset(int number = -1);

private:
    int number_ = -1;
    FdCloser* closer_ = nullptr;
};

}  // namespace procsup
