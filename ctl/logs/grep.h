#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace procsup::ctl {

/// One regular expression, in Perl's syntax, of which the POSIX extended one is a part; compiled to machine code. It is searched
/// for in lines, or first in many lines at once.
class Grep {
public:
    /// The Error says what is wrong with the expression, and where.
    static Result<Grep> compile(std::string_view expression);

    bool matches(std::string_view text) const;

    /// Where the first line can be that matches, in bytes of many lines with stamps before them: a line before that position
    /// does not match. Only when can_skip().
    std::optional<std::size_t> find(std::string_view lines) const;
    /// Whether a match depends on nothing but the matching bytes: not on where the line begins.
    bool can_skip() const { return can_skip_; }
    /// Whether JSON has all of these bytes as they are, so that it can be searched as well.
    bool plain_in_json() const { return plain_in_json_; }

private:
    struct Code;
    struct CodeEnd {
        void operator()(Code* code) const;
    };
    explicit Grep(std::unique_ptr<Code, CodeEnd> code) : code_(std::move(code)) {}

    std::unique_ptr<Code, CodeEnd> code_;
    bool can_skip_ = false;
    bool plain_in_json_ = false;
};

}  // namespace procsup::ctl
