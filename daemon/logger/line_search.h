#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/regex.h"
#include "common/result.h"

struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace procsup::logger {

/// For how long lines are searched.
struct SearchTurn {
    explicit SearchTurn(std::int64_t duration);

    std::int64_t until;      ///< on the monotonic clock, microseconds
    std::int64_t cpu_begin;  ///< this thread's CPU time then
    bool has_searched = false;

    bool is_over() const;
};

/// What searches need for as long as they last; in bytes, however long a line is and whatever the expression.
class SearchRoom {
public:
    SearchRoom();
    ~SearchRoom();
    SearchRoom(const SearchRoom&) = delete;
    SearchRoom& operator=(const SearchRoom&) = delete;

private:
    friend class LineSearch;
    pcre2_real_match_data_8* match_;
    pcre2_real_match_context_8* context_;
};

/// Looks for one expression in line after line. What takes long is left off and gone on with in the next turn, so that nobody else
/// waits for an expression that was not thought through; machine code could not be left off anywhere.
class LineSearch {
public:
    static Result<LineSearch> compile(std::string_view expression);

    enum class Found {
        No,
        Yes,
        Later,    ///< the turn is over: the same line in the next one
        GivenUp,  ///< it would take too long: taken for No
    };
    /// `at`: by which a line is known again that was not searched to its end.
    Found search(std::string_view line, std::uint64_t at, SearchRoom& room, SearchTurn& turn);

    /// Whether it can be looked for in many lines at once.
    bool is_plain() const { return !code_; }
    /// Where it is first, in bytes. Only when is_plain().
    std::optional<std::size_t> find(std::string_view lines) const;
    /// Whether a line was given up, and this is asked for the first time then.
    bool is_to_be_told() { return given_up_ && !std::exchange(told_, true); }

    /// What one line may take, in microseconds of CPU time.
    static constexpr std::int64_t kMostOfALine = 15'000;
    /// When that much was spent on lines that were given up, less is.
    static constexpr std::int64_t kMostWasted = 1'000'000;
    static constexpr std::int64_t kLeastOfALine = 1'000;

private:
    explicit LineSearch(std::string plain) : plain_(std::move(plain)) {}
    explicit LineSearch(Regex code) : code_(std::move(code)) {}
    Found left_off(std::size_t reached, const SearchTurn& turn);

    std::string plain_;
    Regex code_;                     ///< nothing: plain_
    std::uint64_t at_ = UINT64_MAX;  ///< the line that was left off
    std::size_t offset_ = 0;         ///< in it; no match begins before
    std::int64_t spent_ = 0;         ///< on it
    std::int64_t patience_ = 0;      ///< as nothing begins at offset_ that can be searched within a turn
    std::int64_t wasted_ = 0;
    bool given_up_ = false, told_ = false;
};

}  // namespace procsup::logger
