#include "daemon/logger/line_search.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "daemon/logger/clock.h"

namespace procsup::logger {
namespace {

/// In KiB. A search that needs more is given up.
constexpr std::uint32_t kMostHeap = 4096;
/// Between two looks at the clock. None of the steps takes longer than to pass over a line.
constexpr unsigned kSteps = 64;

struct Steps {
    std::int64_t until;
    unsigned count = 0;
    std::size_t reached = 0;
};

/// Called by PCRE2 before each step of a search.
int at_step(pcre2_callout_block* block, void* data) {
    auto& steps = *static_cast<Steps*>(data);
    if (++steps.count % kSteps != 0 || monotonic_usec() < steps.until) return 0;
    steps.reached = block->start_match;
    return PCRE2_ERROR_CALLOUT;
}

std::int64_t cpu_usec() { return clock_usec(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace

SearchTurn::SearchTurn(std::int64_t duration) : until(monotonic_usec() + duration), cpu_begin(cpu_usec()) {}

bool SearchTurn::is_over() const { return monotonic_usec() >= until; }

SearchRoom::SearchRoom() : match_(pcre2_match_data_create(1, nullptr)), context_(pcre2_match_context_create(nullptr)) {
    pcre2_set_heap_limit(context_, kMostHeap);
}

SearchRoom::~SearchRoom() {
    pcre2_match_context_free(context_);
    pcre2_match_data_free(match_);
}

Result<LineSearch> LineSearch::compile(std::string_view expression) {
    if (is_plain_text(expression)) return LineSearch(std::string(expression));
    auto code = compile_regex(expression, Searches::AsLongAsAllowed);
    if (!code) return code.error();
    return LineSearch(std::move(*code));
}

std::optional<std::size_t> LineSearch::find(std::string_view lines) const {
    const void* const found = memmem(lines.data(), lines.size(), plain_.data(), plain_.size());
    if (found == nullptr) return std::nullopt;
    return static_cast<std::size_t>(static_cast<const char*>(found) - lines.data());
}

LineSearch::Found LineSearch::search(std::string_view line, std::uint64_t at, SearchRoom& room, SearchTurn& turn) {
    if (is_plain()) return find(line) ? Found::Yes : Found::No;
    if (std::exchange(at_, at) != at) offset_ = 0, spent_ = 0, patience_ = 0;
    Steps steps{patience_ == 0 ? turn.until : std::max(turn.until, monotonic_usec() + patience_)};
    pcre2_set_callout(room.context_, at_step, &steps);
    const int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(line.data()), line.size(), offset_, 0,
                                  room.match_, room.context_);
    if (found == PCRE2_ERROR_CALLOUT) return left_off(steps.reached, turn);
    turn.has_searched = true;
    at_ = UINT64_MAX;
    if (found == PCRE2_ERROR_NOMATCH) return Found::No;
    if (found >= 0) return Found::Yes;
    given_up_ = true;
    return Found::GivenUp;
}

LineSearch::Found LineSearch::left_off(std::size_t reached, const SearchTurn& turn) {
    // What the turn was spent on were the lines before it.
    if (!turn.has_searched) spent_ = cpu_usec() - turn.cpu_begin + spent_;
    patience_ = turn.has_searched || reached > offset_ ? 0 : std::clamp(patience_ * 2, kLeastOfALine, kMostOfALine);
    offset_ = reached;
    if (spent_ < (wasted_ < kMostWasted ? kMostOfALine : kLeastOfALine)) return Found::Later;
    wasted_ += spent_;
    given_up_ = true;
    at_ = UINT64_MAX;
    return Found::GivenUp;
}

}  // namespace procsup::logger
