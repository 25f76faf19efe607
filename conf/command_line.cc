#include "conf/command_line.h"

#include <optional>
#include <utility>

#include "conf/key_reader.h"
#include "conf/placeholder.h"

namespace procsup {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// One pass over a command, holding the words so far and the one being read.
class Splitter {
public:
    Splitter(std::string_view line, std::string_view with_shell) : rest_(line), with_shell_(with_shell) {}

    Result<std::vector<std::string>> split() {
        while (!rest_.empty() && fault_.empty()) step();
        if (!fault_.empty()) return Error{fault_};
        finish_word();
        return std::move(words_);
    }

private:
    void step() {
        const char c = rest_[0];
        if (is_space(c)) {
            finish_word();
            rest_.remove_prefix(1);
        } else if (c == '\'') {
            single_quoted();
        } else if (c == '"') {
            double_quoted();
        } else if (c == '\\') {
            if (rest_.size() == 1) {
                fault_ = "ends in a backslash";
                return;
            }
            // A backslash before a line's end joins the lines.
            if (rest_[1] != '\n') append_literal(rest_.substr(1, 1));
            rest_.remove_prefix(2);
        } else if (c == '|' || c == '<' || c == '>' || c == ';' || c == '&' || c == '`') {
            fault_ = "has " + quoted(rest_.substr(0, 1)) + no_shell();
        } else if (c == '~' && !word_ && (rest_.size() == 1 || rest_[1] == '/' || is_space(rest_[1]))) {
            fault_ = "has '~', which no shell sees here: write ${env:HOME}";
        } else {
            plain();
        }
    }

    /// One character, a placeholder or "$${", in or outside of double quotes.
    void plain() {
        const std::size_t length = placeholder_length(rest_);
        if (length == 0 && rest_[0] == '$' && rest_.size() > 1 && names_variable(rest_[1])) {
            fault_ = "has " + quoted(rest_.substr(0, rest_.find_first_of(" \t\n\"'/:"))) + no_shell();
            return;
        }
        append(rest_.substr(0, length == 0 ? 1 : length));
        rest_.remove_prefix(length == 0 ? 1 : length);
    }

    static bool names_variable(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '(' || c == '{' ||
               (c >= '0' && c <= '9') || c == '@' || c == '*' || c == '?';
    }

    void single_quoted() {
        const auto end = rest_.find('\'', 1);
        if (end == std::string_view::npos) {
            fault_ = "has a ' that is never closed";
            return;
        }
        append(rest_.substr(1, end - 1));
        rest_.remove_prefix(end + 1);
    }

    void double_quoted() {
        rest_.remove_prefix(1);
        append({});
        while (!rest_.empty() && rest_[0] != '"' && fault_.empty()) {
            const bool escape = rest_[0] == '\\' && rest_.size() > 1;
            if (escape && std::string_view("\"\\$`\n").find(rest_[1]) != std::string_view::npos) {
                if (rest_[1] != '\n') append_literal(rest_.substr(1, 1));
                rest_.remove_prefix(2);
            } else if (rest_[0] == '`') {
                fault_ = "has '`'" + no_shell();
            } else {
                plain();
            }
        }
        if (!fault_.empty()) return;
        if (rest_.empty()) {
            fault_ = "has a \" that is never closed";
            return;
        }
        rest_.remove_prefix(1);
    }

    std::string no_shell() const {
        return ", which no shell sees here: quote it with '…', or use " + std::string(with_shell_);
    }

    void append(std::string_view text) {
        if (!word_) word_.emplace();
        word_->append(text);
    }

    /// A backslash makes "\${" mean "${": said with "$$" in the texts that are expanded later.
    void append_literal(std::string_view character) {
        const bool opens = character == "$" && rest_.size() > 2 && rest_[2] == '{';
        append(opens ? "$$" : character);
    }

    void finish_word() {
        if (word_) words_.push_back(std::move(*word_));
        word_.reset();
    }

    std::string_view rest_;
    std::string_view with_shell_;
    std::vector<std::string> words_;
    std::optional<std::string> word_;
    std::string fault_;
};

}  // namespace

Result<std::vector<std::string>> split_command_line(std::string_view line, std::string_view with_shell) {
    return Splitter(line, with_shell).split();
}

}  // namespace procsup
