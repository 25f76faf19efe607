#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/event_loop.h"
#include "daemon/broker/core/cells.h"

/// What is asked of the coordinator, and what it answers. Pure: no clock, no file, no process.
namespace procsup::broker {

using SessionId = std::uint64_t;  ///< never given twice; 0: none
using WaitId = std::uint64_t;     ///< never given twice; 0: none
/// Grows with every acquisition of anything: who writes for the holder of an older one can be turned away by who has seen a
/// newer one.
using Token = std::uint64_t;

/// Who holds or waits: one thread of a session, by a number that only its client knows the meaning of.
struct Owner {
    SessionId session = 0;
    /// 0: all connections of the session that name none, any of which can release.
    std::uint64_t thread = 0;
    auto operator<=>(const Owner&) const = default;
};

/// Each has names of its own.
enum class Kind : std::uint8_t { Lock, Semaphore, Event, Value };
inline constexpr std::size_t kKinds = 4;

/// All of a lock: who has it exclusively. One who shares it has one unit.
inline constexpr std::uint32_t kWhole = 1u << 30;
/// Who may give permits of a semaphore back.
enum class Returns : std::uint8_t {
    ByHolder,   ///< each its own; only of such a semaphore it is known who can end a wait for it
    ByAnybody,  ///< others those of who has them longest, but no more than are held
    Beyond,     ///< by anybody, and where none are held there is one more
};

/// As SEM_VALUE_MAX (sem_post(3)).
inline constexpr std::uint32_t kMostPermits = 0x7fffffff;

struct Request {
    std::string_view name;
    std::uint64_t account = 0;  ///< who answers for what there has to be for it
    Owner owner;
    Kind kind = Kind::Lock;
    std::uint32_t units = kWhole;  ///< of a semaphore: permits; of an event or a value: 1
    bool reentrant = false;        ///< of a lock: its holder gets it once more
    bool waits = true;
    std::optional<TimePoint> deadline;  ///< of the wait
    Token seen = 0;                     ///< of a value: waits as long as it has this version
};

/// Of an event: it is set, and of a value: it has another version, which is the token. There is nothing to release then.
struct Grant {
    Token token = 0;
    std::uint32_t depth = 1;   ///< how often the owner has to release it
    std::string abandoned_by;  ///< who had it exclusively, and ended without releasing it; empty: nobody
};

struct Queued {
    WaitId wait = 0;
    std::size_t position = 0;  ///< from 1
};

/// One that waits in a knot, and those that it waits for.
struct KnotStep {
    Owner waiter;
    Kind kind = Kind::Lock;
    std::string resource;
    std::vector<Owner> holders;  ///< some, where there are many
};

struct Refusal {
    enum class Why {
        AlreadyHeld,   ///< by the same owner, or waited for
        Busy,          ///< and the request does not wait
        Waits,         ///< the thread waits already, so it cannot have asked
        Deadlock,      ///< every possible releaser waits, in `knot`
        TooMany,       ///< units, more than there will ever be
        TooManyNames,  ///< of the same account
        Unknown,       ///< session or semaphore
    };
    Why why = Why::Unknown;
    std::vector<KnotStep> knot;
};

using Answer = std::variant<Grant, Queued, Refusal>;

/// What became of a wait.
struct Settled {
    enum class What {
        Granted,
        TimedOut,
        Deadlock,
        Gone,   ///< what was waited for
        Ended,  ///< the session that waited
    };
    WaitId wait = 0;
    What what = What::Granted;
    Grant grant;
    std::vector<KnotStep> knot;  ///< of Deadlock
};

/// What a value is to become.
struct Change {
    std::size_t at = 0;  ///< its first cell
    std::vector<Cell> cells;
    bool adds = false;                ///< to what is there
    std::optional<CellType> type;     ///< of `cells`; has to be that of the value
    std::optional<Token> if_version;  ///< else nothing is changed
    std::vector<Cell> if_cells;       ///< from `at` on, else nothing is changed
};

struct Changed {
    enum class How {
        Done,
        Differs,      ///< from what was to be there
        OutOfRange,   ///< a number does not fit the type
        OutOfBounds,  ///< there are not so many cells
        Unknown,
    };
    How how = How::Done;
    Token version = 0;         ///< of what is there now
    std::vector<Cell> before;  ///< of Done and Differs: what is or was where the change is
};

struct Released {
    enum class How { Released, NotHeld, TooMany, Unknown };
    How how = How::Released;
    std::uint32_t depth = 0;  ///< what is left of it: the owner still has it
};

}  // namespace procsup::broker
