#pragma once

#include <list>
#include <map>
#include <string>

#include "daemon/broker/core/claim.h"

namespace procsup::broker {

struct Holding {
    std::uint32_t units = 0;
    std::uint32_t depth = 1;
    Token token = 0;  ///< of the first acquisition
    TimePoint since;
};

struct Waiter {
    WaitId id = 0;
    Owner owner;
    std::uint32_t units = 0;
    TimePoint since;
    std::optional<TimePoint> deadline;
};

/// Something of which there are a number of units, held by owners and waited for in the order of asking. A semaphore has its
/// permits; a lock has kWhole, of which one who shares it takes one and one who does not takes all. Of an event nobody holds
/// anything: as long as it is set there is enough for all. Nor of a value, which is waited for until it changes.
struct Resource {
    std::string name;
    std::uint64_t account = 0;  ///< of who asked for it first
    Kind kind = Kind::Lock;
    std::uint32_t total = kWhole;
    Returns returns = Returns::ByHolder;  ///< of a lock always
    std::uint32_t used = 0;
    std::map<Owner, Holding> holders;
    std::list<Waiter> queue;
    std::string abandoned_by;  ///< until somebody has it exclusively again, who is told

    bool is_set = false;  ///< an event; a value for the moment in which it changes
    TimePoint set_at;
    Cells cells;  ///< a value
    Token version = 0;

    /// Who has it can be asked to release it, or at least nobody else could.
    bool is_held() const { return kind == Kind::Lock || kind == Kind::Semaphore; }

    bool fits(std::uint32_t units) const { return is_held() ? units <= total - used : is_set; }
    bool lasts() const {
        return kind == Kind::Semaphore || kind == Kind::Value || is_set || !holders.empty() || !queue.empty() ||
               !abandoned_by.empty();
    }
};

/// An order that is the same each time.
struct ByName {
    bool operator()(const Resource* a, const Resource* b) const {
        return a->kind != b->kind ? a->kind < b->kind : a->name < b->name;
    }
};

}  // namespace procsup::broker
