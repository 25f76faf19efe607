#pragma once

#include <string>
#include <string_view>

namespace procsup::ctl {

enum class ColorChoice { Auto, Always, Never };

enum class Color { Green, Red, Yellow, Dim };

/// What a command prints. Results are gathered and written to standard output at once (streams flush after each
/// line); errors and hints go to standard error, after what was gathered before them. Text from the supervisor
/// passes through escaped() on its way here; this class does not change what it is given.
class Output {
public:
    Output(ColorChoice color, bool quiet);

    /// Gathers a result.
    void add(std::string_view text) { gathered_.append(text); }
    void line(std::string_view text) { gathered_.append(text).append("\n"); }
    /// Gathers what --quiet leaves out.
    void note(std::string_view text) {
        if (!quiet_) line(text);
    }
    std::string& gathered() { return gathered_; }

    /// "error: …", "warning: …" and "hint: …", as a line on standard error.
    void error(std::string_view message);
    void warning(std::string_view message);
    void hint(std::string_view message);
    /// A line on standard error as it is.
    void message(std::string_view text);

    /// `text` in a colour when standard output shows colours, else as it is.
    std::string colored(Color color, std::string_view text) const;
    bool to_terminal() const { return terminal_; }
    bool shows_colors() const { return colors_; }
    bool quiet() const { return quiet_; }

    /// Writes what was gathered; false when standard output does not take it.
    bool flush();

private:
    std::string gathered_;
    bool quiet_;
    bool terminal_;
    bool colors_;
    bool broken_ = false;
};

/// Whether colours are wanted: --color first; else only on a terminal that has them and without NO_COLOR.
bool wants_color(ColorChoice choice, bool terminal, const char* no_color, const char* term);

/// Writes everything; false on an error.
bool write_all(int fd, std::string_view text);

}  // namespace procsup::ctl
