#include "ctl/output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace procsup::ctl {
namespace {

std::string_view escape_sequence(Color color) {
    switch (color) {
        case Color::Green: return "\x1b[32m";
        case Color::Red: return "\x1b[1;31m";
        case Color::Yellow: return "\x1b[33m";
        case Color::Dim: return "\x1b[2m";
    }
    return {};
}

}  // namespace

bool wants_color(ColorChoice choice, bool terminal, const char* no_color, const char* term) {
    if (choice != ColorChoice::Auto) return choice == ColorChoice::Always;
    if (!terminal || (no_color != nullptr && *no_color != '\0')) return false;
    return term != nullptr && *term != '\0' && strcmp(term, "dumb") != 0;
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            // Standard output can be shared with a program that made it non-blocking.
            pollfd wait{fd, POLLOUT, 0};
            poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

Output::Output(ColorChoice color, bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDOUT_FILENO) == 1),
      colors_(wants_color(color, terminal_, getenv("NO_COLOR"), getenv("TERM"))) {}

void Output::error(std::string_view message) { this->message(std::string("error: ").append(message)); }

void Output::warning(std::string_view message) { this->message(std::string("warning: ").append(message)); }

void Output::hint(std::string_view message) { this->message(std::string("hint: ").append(message)); }

void Output::message(std::string_view text) {
    flush();
    write_all(STDERR_FILENO, std::string(text).append("\n"));
}

std::string Output::colored(Color color, std::string_view text) const {
    if (!colors_) return std::string(text);
    return std::string(escape_sequence(color)).append(text).append("\x1b[0m");
}

bool Output::flush() {
    if (gathered_.empty()) return !broken_;
    if (!write_all(STDOUT_FILENO, gathered_)) {
        const int cause = errno;
        gathered_.clear();
        if (!broken_) {
            write_all(STDERR_FILENO, "error: cannot write to standard output: " + std::string(strerror(cause)) + "\n");
        }
        broken_ = true;
        return false;
    }
    gathered_.clear();
    return !broken_;
}

}  // namespace procsup::ctl
