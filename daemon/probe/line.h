#pragma once

#include <cstddef>

namespace procsup::probe {

/// One line for people: printable UTF-8 of at most kMost bytes, whatever is put in. What does not fit is cut off.
class Line {
public:
    static constexpr std::size_t kMost = 300;  ///< with its end

    Line() : size_(0) {}  // of its own, so that the text is left as it is
    void clear() { size_ = 0; }
    bool is_empty() const { return size_ == 0; }
    bool is(const Line& other) const;

    /// The program's own words.
    Line& operator<<(const char* text);
    Line& operator<<(long number);
    /// What others have chosen, of any length and with anything in it, up to `end`. Of a long one the end is shown, which tells
    /// more.
    Line& name(const char* text, char end = '\0');
    /// As "1500ms" or "2s".
    Line& duration(long milliseconds);
    /// As "SIGKILL" or "signal 40".
    Line& signal(int number);
    /// ": " and what another line says.
    Line& line(const Line& other);
    /// What a command has written: behind ":" and a tab, which is nowhere else, as not everybody may see it.
    Line& output(const char* text);
    /// ": " and what `errno_value`, which is positive, means.
    Line& cause(long errno_value);

    /// To standard error, with a space for the tab. A reader who is stopped, or a terminal that is, holds it up for a second at most.
    void say();
    /// To `fd`, which may be a socket or anything else, without waiting. Whether all of it was written.
    bool tell(int fd);

private:
    const char* with_end();
    bool append(char c);
    const char* append_character(const char* text);

    char text_[kMost];
    std::size_t size_;
};

}  // namespace procsup::probe
