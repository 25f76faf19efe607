#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/broker/core/claim.h"
#include "daemon/broker/core/resource.h"

namespace procsup::broker {

/// Who holds what, and who waits for it. First come, first served; what an ended session had goes to the next at once. Every call
/// can settle waits, which are then in take_settled(), in order. Whoever calls tells the time; nothing here looks at a clock.
/// The names are what whoever calls has made of those of clients, and so are the bounds on their number.
class Coordinator {
public:
    /// So many names an account can make be there, and values of so many bytes.
    explicit Coordinator(std::size_t most_names = 10'000, std::size_t most_bytes = std::size_t{64} << 20)
        : most_names_(most_names), most_bytes_(most_bytes) {}
    Coordinator(const Coordinator&) = delete;
    Coordinator& operator=(const Coordinator&) = delete;

    /// With one connection; `label` is for people.
    SessionId open(std::string label);
    void set_label(SessionId session, std::string label) { sessions_.at(session).label = std::move(label); }
    /// One more connection acts for the session, or one less: it is taken to wait when all of them do.
    void attach(SessionId session);
    void detach(SessionId session, TimePoint now);
    /// It releases what it has, and does not wait any more. `orderly`: it was done with what it had, so nothing is abandoned.
    void end(SessionId session, bool orderly, TimePoint now);

    Answer acquire(const Request& request, TimePoint now);
    /// Of a semaphore so many `units`; of a lock one acquisition, whatever they are.
    Released release(Kind kind, std::string_view name, Owner owner, std::uint32_t units, TimePoint now);
    /// Takes a lock from whoever holds it, and forgets that it was abandoned. False: neither is so.
    bool take_away(std::string_view name, TimePoint now);
    /// The wait is over without being settled.
    void cancel(WaitId wait, TimePoint now);

    enum class Made { Yes, ThereAlready, Differs, TooManyNames, TooManyBytes };
    /// Differs: there is one with another number of permits, or another rule.
    Made make_semaphore(std::string_view name, std::uint64_t account, std::uint32_t permits, Returns returns);
    /// A semaphore or a value; who waits for it is told that it is gone.
    bool remove(Kind kind, std::string_view name);

    /// An event is clear until somebody sets it, and set until somebody clears it. False: the account has too many names.
    bool set_event(std::string_view name, std::uint64_t account, TimePoint now);
    void clear_event(std::string_view name);

    /// Of so many cells, all 0. Differs: there is one of another type or size.
    Made make_value(std::string_view name, std::uint64_t account, CellType type, std::size_t count);
    /// All of it or nothing.
    Changed change_value(std::string_view name, const Change& change, TimePoint now);

    /// When advance() has something to do next.
    std::optional<TimePoint> next_deadline() const;
    /// Settles the waits whose time has passed.
    void advance(TimePoint now);
    std::vector<Settled> take_settled() { return std::exchange(settled_, {}); }

    /// Tokens begin behind this one.
    void set_last_token(Token token) { last_token_ = token; }
    Token last_token() const { return last_token_; }

    const Resource* find(Kind kind, std::string_view name) const;
    /// Null for one that does not wait any more.
    const Resource* waited_for(WaitId wait) const;
    std::vector<const Resource*> all(Kind kind) const;
    std::size_t session_count() const { return sessions_.size(); }
    std::size_t wait_count() const { return waits_.size(); }

private:
    struct Session {
        std::string label;
        std::size_t connections = 1;
        std::set<Resource*, ByName> held;
        std::multimap<std::uint64_t, WaitId> waits;  ///< by thread
    };
    struct Wait {
        Resource* resource;
        std::list<Waiter>::iterator place;
    };
    /// By its own text, which the resource owns.
    using Resources = std::unordered_map<std::string_view, std::unique_ptr<Resource>>;

    Resource* known(Kind kind, std::string_view name) const;
    Resource* make(Kind kind, std::string_view name, std::uint64_t account);
    void erase(Resource& resource);
    std::optional<Answer> answer_at_once(Resource& resource, const Request& request, TimePoint now);
    std::optional<Answer> of_what_it_has(Resource& lock, const Request& request);
    bool waits_for(Owner owner, const Resource& resource) const;
    Answer wait(Resource& resource, const Request& request, TimePoint now);
    Grant grant(Resource& resource, Owner owner, std::uint32_t units, TimePoint now);
    Released release_lock(Resource& lock, Owner owner);
    Released release_permits(Resource& semaphore, Owner owner, std::uint32_t units);
    void take(Resource& resource, std::map<Owner, Holding>::iterator holding, std::uint32_t units);
    void drop_from(Resource& resource, SessionId session, const std::string& abandoned_by);
    void drop_wait(std::unordered_map<WaitId, Wait>::iterator wait);
    void serve(Resource& resource, TimePoint now);
    void settle(Settled settled) { settled_.push_back(std::move(settled)); }
    void forget_if_idle(Resource& resource);

    // knot.cc
    class KnotSearch;
    bool is_blocked(Owner owner) const;
    bool others_wait_for(SessionId session) const;
    std::vector<KnotStep> knot_around(Owner owner) const;

    const std::size_t most_names_;
    const std::size_t most_bytes_;
    struct Account {
        std::size_t names = 0, bytes = 0;
    };
    std::unordered_map<std::uint64_t, Account> accounts_;
    std::unordered_map<SessionId, Session> sessions_;
    std::array<Resources, kKinds> resources_;
    std::unordered_map<WaitId, Wait> waits_;
    std::set<std::pair<TimePoint, WaitId>> deadlines_;
    std::vector<Settled> settled_;
    SessionId last_session_ = 0;
    WaitId last_wait_ = 0;
    Token last_token_ = 0;
};

}  // namespace procsup::broker
