#pragma once

#include <cstddef>

namespace procsup::init {

/// A line for standard error, written when it goes out of scope. What does not fit is cut off.
class Message {
public:
    /// "procsup-init: " and `text`.
    explicit Message(const char* text);
    /// Nothing in front.
    Message() = default;
    ~Message();
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;

    Message& operator<<(const char* text);
    Message& operator<<(long number);
    /// ": " and what `errno_value`, which is positive, means.
    Message& cause(long errno_value);

private:
    char text_[512];
    std::size_t size_ = 0;
};

}  // namespace procsup::init
