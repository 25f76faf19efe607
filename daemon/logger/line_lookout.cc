#include "daemon/logger/line_lookout.h"

#include <algorithm>
#include <utility>

#include "daemon/logger/clock.h"

namespace procsup::logger {
namespace {

/// Between two looks at the clock.
constexpr unsigned kLines = 16;

AwaitedLine::Place place_in(const AwaitedLine& awaited, std::uint64_t run, std::uint64_t begin) {
    auto place = awaited.place();
    if (place.run != run || place.length > AwaitedLine::kMost) place = {run, awaited.from};
    // What was dropped in the very moment in which a logger was killed.
    if (place.next < begin) place = {run, begin};
    return place;
}

}  // namespace

bool LineLookout::look(std::uint32_t slot, std::uint64_t begin, std::string_view data) {
    auto& asked = memory_.streams[slot].awaited;
    auto run = asked.load(std::memory_order_acquire);
    if (!is_awaited(run) || ended_) return true;
    LineSearch* const search = search_for(slot, run);
    if (search == nullptr) return true;
    if (!has_time()) return false;
    auto& awaited = memory_.awaited[slot];
    auto place = place_in(awaited, run, begin);
    const auto end = begin + data.size();
    const auto began = monotonic_usec();
    SearchTurn turn(std::min(kTurn, left_));
    auto went = Went::On;
    for (unsigned lines = 1; went == Went::On && place.next < end; ++lines) {
        const auto rest = data.substr(place.next - begin);
        const auto newline = rest.find('\n');
        if (place.length > 0) {
            went = go_on(*search, awaited, place, rest, turn);
        } else if (newline == std::string_view::npos) {
            went = begin_line(*search, awaited, place, rest, turn);
        } else if (search->is_plain()) {
            went = plain_lines(*search, place, rest.substr(0, rest.rfind('\n') + 1));
        } else {
            went = next_line(*search, place, rest, newline, turn);
        }
        if (lines % kLines == 0 && went == Went::On && turn.is_over()) went = Went::Later;
    }
    left_ -= monotonic_usec() - began;
    awaited.set_place(place);
    if (search->is_to_be_told()) {
        hooks_.told(slot, run, "takes too long for a line that it writes, which is taken for one that does not match");
    }
    if (went != Went::Seen) return went == Went::On;
    // Unless it is not awaited any more.
    if (asked.compare_exchange_strong(run, run | kLineSeen)) hooks_.seen(slot, run);
    searches_.erase(slot);
    forget_others();
    return true;
}

/// Of a line the beginning of which is in Memory.
LineLookout::Went LineLookout::go_on(LineSearch& search, AwaitedLine& awaited, Place& place, std::string_view rest,
                                     SearchTurn& turn) {
    const auto newline = rest.find('\n');
    const auto line_rest = rest.substr(0, newline);
    if (place.length < AwaitedLine::kMost) {
        const auto more = line_rest.copy(awaited.begun + place.length, AwaitedLine::kMost - place.length);
        const auto length = place.length + static_cast<std::uint32_t>(more);
        if (newline != std::string_view::npos || length == AwaitedLine::kMost) {
            const auto went = look_at(search, {awaited.begun, length}, place.next - place.length, turn);
            if (went != Went::On) return went;
        }
        place.length = length;
    }
    if (newline == std::string_view::npos) {
        place.next += rest.size();
    } else {
        place.next += newline + 1;
        place.length = 0;
    }
    return Went::On;
}

/// Of a line that does not end within `rest`.
LineLookout::Went LineLookout::begin_line(LineSearch& search, AwaitedLine& awaited, Place& place, std::string_view rest,
                                          SearchTurn& turn) {
    const auto length = std::min(rest.size(), AwaitedLine::kMost);
    if (length == AwaitedLine::kMost) {
        const auto went = look_at(search, rest.substr(0, length), place.next, turn);
        if (went != Went::On) return went;
    } else {
        // What stands there is of a line that is over.
        awaited.set_place(place);
        rest.copy(awaited.begun, length);
    }
    place.length = static_cast<std::uint32_t>(length);
    place.next += rest.size();
    return Went::On;
}

LineLookout::Went LineLookout::next_line(LineSearch& search, Place& place, std::string_view rest, std::size_t newline,
                                         SearchTurn& turn) {
    const auto went = look_at(search, rest.substr(0, std::min(newline, AwaitedLine::kMost)), place.next, turn);
    if (went == Went::On) place.next += newline + 1;
    return went;
}

/// `lines` are whole ones.
LineLookout::Went LineLookout::plain_lines(const LineSearch& search, Place& place, std::string_view lines) {
    while (!lines.empty()) {
        const auto found = search.find(lines);
        const auto begin = found ? lines.rfind('\n', *found) + 1 : lines.size();
        const auto end = found ? lines.find('\n', *found) + 1 : lines.size();
        const auto line = lines.substr(begin, std::min(end - begin, AwaitedLine::kMost));
        if (found && search.find(line.substr(0, line.rfind('\n')))) return Went::Seen;
        lines.remove_prefix(end);
        place.next += end;
    }
    return Went::On;
}

LineLookout::Went LineLookout::look_at(LineSearch& search, std::string_view line, std::uint64_t at, SearchTurn& turn) {
    switch (search.search(line, at, *room_, turn)) {
        case LineSearch::Found::Yes: return Went::Seen;
        case LineSearch::Found::Later: return Went::Later;
        case LineSearch::Found::No:
        case LineSearch::Found::GivenUp: break;
    }
    return Went::On;
}

LineSearch* LineLookout::search_for(std::uint32_t slot, std::uint64_t run) {
    const auto before = searches_.find(slot);
    if (before != searches_.end() && before->second.run == run) {
        auto& search = before->second.search;
        return search ? &*search : nullptr;
    }
    forget_others();
    std::string expression;
    if (!copy_expression(slot, run, expression)) return nullptr;
    auto& known = searches_[slot];
    known.run = run;
    auto search = LineSearch::compile(expression);
    if (!search) {
        hooks_.told(slot, run, search.error().message);
        return nullptr;
    }
    if (!room_) room_ = std::make_unique<SearchRoom>();
    return &known.search.emplace(std::move(*search));
}

/// False: it is not awaited any more, and procsupd may have been writing another one.
bool LineLookout::copy_expression(std::uint32_t slot, std::uint64_t run, std::string& expression) const {
    expression = memory_.awaited[slot].expression();
    std::atomic_thread_fence(std::memory_order_acquire);
    return memory_.streams[slot].awaited.load(std::memory_order_relaxed) == run;
}

/// What is not awaited any more.
void LineLookout::forget_others() {
    std::erase_if(searches_, [this](const auto& one) {
        return memory_.streams[one.first].awaited.load(std::memory_order_relaxed) != one.second.run;
    });
    if (searches_.empty()) room_.reset();
}

}  // namespace procsup::logger
