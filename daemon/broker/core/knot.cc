// Whether those who wait can ever be served. A knot is not only a ring: who waits for one of several permits is stuck when all who
// have one are. So it is tried: whoever does not wait releases what it has; who then gets what it waits for does the same; those
// who are left when nobody moves any more are in the knot.
#include <algorithm>
#include <deque>
#include <utility>

#include "daemon/broker/core/coordinator.h"

namespace procsup::broker {
namespace {

constexpr std::size_t kMostSteps = 16;
constexpr std::size_t kMostHolders = 4;

}  // namespace

/// All of its connections wait, or the thread does.
bool Coordinator::is_blocked(Owner owner) const {
    const auto session = sessions_.find(owner.session);
    if (session == sessions_.end()) return false;
    const auto waiting = session->second.waits.count(owner.thread);
    if (owner.thread != 0) return waiting > 0;
    return waiting > 0 && waiting >= session->second.connections;
}

/// Only then its own wait can close a knot.
bool Coordinator::others_wait_for(SessionId session) const {
    const auto& held = sessions_.at(session).held;
    return std::any_of(held.begin(), held.end(), [](const Resource* one) { return !one->queue.empty(); });
}

/// All that the state of one owner depends on.
class Coordinator::KnotSearch {
public:
    KnotSearch(const Coordinator& coordinator, Owner first) : coordinator_(coordinator) {
        find(first);
        for (std::size_t i = 0; i < owners_.size(); ++i) look_around(owners_[i]);
        while (pass()) {
        }
    }

    bool is_stuck(Owner owner) const { return !moves_.at(owner); }

    /// From the first owner on, those who are stuck.
    std::vector<KnotStep> steps() const {
        std::vector<KnotStep> found;
        for (const auto owner : owners_) {
            if (!is_stuck(owner)) continue;
            for_each_wait(owner, [&](const Resource& resource, const std::list<Waiter>::iterator& place) {
                if (found.size() < kMostSteps)
                    found.push_back({owner, resource.kind, resource.name, before(resource, place)});
            });
        }
        return found;
    }

private:
    void find(Owner owner) {
        if (moves_.try_emplace(owner, !coordinator_.is_blocked(owner)).second) owners_.push_back(owner);
    }

    void look_around(Owner owner) {
        if (moves_.at(owner)) return;
        for_each_wait(owner, [&](const Resource& resource, const std::list<Waiter>::iterator&) {
            if (!resources_.insert(&resource).second) return;
            for (const auto& [holder, holding] : resource.holders) find(holder);
            for (const auto& waiter : resource.queue) find(waiter.owner);
        });
    }

    template <typename Each>
    void for_each_wait(Owner owner, const Each& each) const {
        const auto [from, to] = coordinator_.sessions_.at(owner.session).waits.equal_range(owner.thread);
        for (auto entry = from; entry != to; ++entry) {
            const auto& wait = coordinator_.waits_.at(entry->second);
            each(*wait.resource, wait.place);
        }
    }

    /// Whether one more moves.
    bool pass() {
        bool changed = false;
        for (const auto* resource : resources_) {
            std::uint64_t room = resource->total - resource->used;
            for (const auto& [holder, holding] : resource->holders) {
                if (moves_.at(holder)) room += holding.units;
            }
            // What anybody can add to is never waited for in vain, as far as this can know.
            const bool open = resource->returns != Returns::ByHolder;
            for (const auto& waiter : resource->queue) {
                if (!open && waiter.units > room) break;
                changed |= !std::exchange(moves_.at(waiter.owner), true);
            }
        }
        return changed;
    }

    /// Those who have what it waits for, and then those who come before it.
    std::vector<Owner> before(const Resource& resource, const std::list<Waiter>::iterator& place) const {
        std::vector<Owner> found;
        const auto add = [&](Owner owner) {
            if (found.size() < kMostHolders && is_stuck(owner)) found.push_back(owner);
        };
        for (const auto& [holder, holding] : resource.holders) add(holder);
        for (auto waiter = resource.queue.begin(); waiter->id != place->id; ++waiter) add(waiter->owner);
        return found;
    }

    const Coordinator& coordinator_;
    std::vector<Owner> owners_;
    std::map<Owner, bool> moves_;
    std::set<const Resource*> resources_;
};

std::vector<KnotStep> Coordinator::knot_around(Owner owner) const {
    const KnotSearch search(*this, owner);
    return search.is_stuck(owner) ? search.steps() : std::vector<KnotStep>();
}

}  // namespace procsup::broker
