#pragma once

#include <cstddef>

namespace procsup::probe {

/// The pipe that a command writes to, of which the last line that is not blank is kept. Reading never waits, and nobody who holds
/// the other end open is waited for.
class Output {
public:
    Output() : size_(0), last_size_(0) {}  // of its own, so that the texts are left as they are
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    /// For one attempt, with nothing in it. 0, or -errno.
    long open();
    /// The command's end, until let_go_of_inlet(): closed by whatever is executed.
    int inlet() const { return inlet_; }
    void let_go_of_inlet();

    /// -1 when there is nothing to come any more.
    int fd() const { return fd_; }
    /// A part of what has come.
    void take();
    /// All that has come, if that ends.
    void take_rest();
    void close();

    bool has_line() const { return last_size_ > 0; }
    /// Its beginning, with anything in it but zeros.
    const char* line();

private:
    static constexpr std::size_t kMost = 160;

    void add(char c);
    void end_line();

    int fd_ = -1, inlet_ = -1;
    bool is_blank_ = true;  ///< the line that has begun
    std::size_t size_, last_size_;
    char text_[kMost], last_[kMost + 1];
};

}  // namespace procsup::probe
