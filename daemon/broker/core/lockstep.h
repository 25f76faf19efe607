#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/broker/core/coordinator.h"

namespace procsup::broker {

/// Drives a Coordinator and a plain model of it with the same random orders, and compares. The model keeps lists and searches
/// them; whether somebody waits for ever it finds by letting everybody else run to the end.
class Lockstep {
public:
    /// `choose(n)` gives a number below n.
    explicit Lockstep(std::function<std::uint32_t(std::uint32_t)> choose);

    /// One order. Empty, or how the two differ.
    std::string step();
    /// Ends all sessions; what is left then.
    std::string finish();

    /// What has happened, so that a test can say that it was tested.
    struct Seen {
        std::uint64_t grants = 0, handovers = 0, timeouts = 0, deadlocks = 0, late_deadlocks = 0, abandoned = 0,
                      refusals = 0;
    };
    const Seen& seen() const { return seen_; }

private:
    struct Held {
        Owner owner;
        std::uint32_t units, depth;
        Token token;
        WaitId wait;  ///< by which it was had; 0: by none
    };
    struct Waiting {
        WaitId id;
        Owner owner;
        std::uint32_t units;
        std::int64_t deadline;  ///< 0: none
    };
    struct Thing {
        Kind kind = Kind::Lock;
        Returns returns = Returns::ByHolder;
        std::uint32_t total = kWhole;
        std::vector<Held> held;
        std::vector<Waiting> queue;
        bool abandoned = false;
        bool set = false;
        Token version = 0;
        std::int64_t number = 0;  ///< of a value
        bool is_held() const { return kind == Kind::Lock || kind == Kind::Semaphore; }
        std::uint32_t free() const;
        bool fits(std::uint32_t units) const;
    };
    struct World {
        std::map<std::string, Thing> things;
        std::map<SessionId, std::uint32_t> connections;
        bool blocked(Owner owner) const;
        bool someone_is_stuck() const;
    };
    using Outcome = std::pair<WaitId, Settled::What>;

    std::string any_name();
    Owner any_owner();
    TimePoint time() const { return TimePoint(std::chrono::microseconds(now_)); }

    void open();
    std::string acquire();
    std::string release();
    std::string end_one();
    std::string detach();
    std::string cancel();
    std::string pass_time();
    std::string take_away();
    std::string remove();
    std::string set_or_clear();
    std::string change_value();

    void make_semaphores();
    void grant(Thing& thing, Owner owner, std::uint32_t units, WaitId wait);
    void serve(Thing& thing);
    void drop_session(SessionId session, bool orderly);
    std::string compare(const std::string& what);
    void note_token(const Settled& settled);
    std::string compare_thing(const std::string& name, const Thing& thing) const;

    std::function<std::uint32_t(std::uint32_t)> choose_;
    Coordinator coordinator_;
    World world_;
    std::vector<Outcome> expected_;
    Token last_token_ = 0;
    std::int64_t now_ = 1;
    Seen seen_;
};

}  // namespace procsup::broker
