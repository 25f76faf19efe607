#pragma once

#include <utility>

namespace procsup {

/// Owns one file descriptor and closes it exactly once. Never a plain int by accident: the number is
/// only had by get().
class Fd {
public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.number_, -1));
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
};

}  // namespace procsup
