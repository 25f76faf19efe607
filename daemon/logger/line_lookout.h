#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/logger/line_search.h"
#include "daemon/logger/memory.h"

namespace procsup::logger {

/// Looks out for the lines that procsupd awaits, in all that is taken out of a pipe, whatever becomes of it then. Knows what is
/// awaited, and how far it was looked for, from Memory alone: a logger that is killed goes on where the one before it was.
class LineLookout {
public:
    struct Hooks {
        std::function<void(std::uint32_t slot, std::uint64_t run)> seen;
        /// Why a line may not be seen; once a run at most.
        std::function<void(std::uint32_t slot, std::uint64_t run, const std::string& fault)> told;
    };
    LineLookout(Memory& memory, Hooks hooks) : memory_(memory), hooks_(std::move(hooks)) {}

    /// Nobody awaits anything any more.
    void end() { ended_ = true; }
    bool awaits(std::uint32_t slot) const { return !ended_ && memory_.streams[slot].awaits_line(); }
    /// Of a round of all streams only so much may be spent here.
    void begin_round() { left_ = kRound; }
    bool has_time() const { return left_ > 0; }
    /// `data` are the bytes of the stream from `begin` on. False: not all was looked at; to be called again with the same.
    bool look(std::uint32_t slot, std::uint64_t begin, std::string_view data);

    static constexpr std::int64_t kRound = 2'000;  ///< microseconds
    static constexpr std::int64_t kTurn = 1'000;

private:
    struct Search {
        std::uint64_t run = 0;
        std::optional<LineSearch> search;  ///< nothing: the expression is of no use
    };
    enum class Went { On, Seen, Later };
    using Place = AwaitedLine::Place;

    LineSearch* search_for(std::uint32_t slot, std::uint64_t run);
    bool copy_expression(std::uint32_t slot, std::uint64_t run, std::string& expression) const;
    void forget_others();
    Went go_on(LineSearch& search, AwaitedLine& awaited, Place& place, std::string_view rest, SearchTurn& turn);
    Went begin_line(LineSearch& search, AwaitedLine& awaited, Place& place, std::string_view rest, SearchTurn& turn);
    Went next_line(LineSearch& search, Place& place, std::string_view rest, std::size_t newline, SearchTurn& turn);
    static Went plain_lines(const LineSearch& search, Place& place, std::string_view lines);
    Went look_at(LineSearch& search, std::string_view line, std::uint64_t at, SearchTurn& turn);

    Memory& memory_;
    Hooks hooks_;
    std::map<std::uint32_t, Search> searches_;  ///< by slot
    std::unique_ptr<SearchRoom> room_;          ///< while there are any
    std::int64_t left_ = kRound;
    bool ended_ = false;
};

}  // namespace procsup::logger
