#include "daemon/broker/core/lockstep.h"

#include <algorithm>
#include <utility>

namespace procsup::broker {
namespace {

constexpr std::uint32_t kMostSessions = 6;
constexpr const char* kNames[] = {"a", "b", "c", "owned", "bounded", "growing", "event", "value"};

}  // namespace

Lockstep::Lockstep(std::function<std::uint32_t(std::uint32_t)> choose) : choose_(std::move(choose)) {
    make_semaphores();
}

void Lockstep::make_semaphores() {
    const std::pair<const char*, Returns> all[] = {
        {"owned", Returns::ByHolder}, {"bounded", Returns::ByAnybody}, {"growing", Returns::Beyond}};
    for (const auto& [name, returns] : all) {
        if (world_.things.contains(name)) continue;
        const auto permits = 1 + choose_(3);
        coordinator_.make_semaphore(name, 7, permits, returns);
        world_.things[name] = {Kind::Semaphore, returns, permits, {}, {}, false};
    }
    auto& event = world_.things["event"];
    event.kind = Kind::Event;
    event.returns = Returns::Beyond;
    if (world_.things.contains("value")) return;
    coordinator_.make_value("value", 7, CellType::Int64, 2);
    world_.things["value"] = event;
    world_.things["value"].kind = Kind::Value;
    world_.things["value"].version = ++last_token_;
}

// ---- the model

std::uint32_t Lockstep::Thing::free() const {
    auto left = total;
    for (const auto& one : held) left -= one.units;
    return left;
}

bool Lockstep::Thing::fits(std::uint32_t units) const { return is_held() ? units <= free() : set; }

bool Lockstep::World::blocked(Owner owner) const {
    std::uint32_t waits = 0;
    for (const auto& [name, thing] : things) {
        for (const auto& one : thing.queue) waits += one.owner == owner ? 1 : 0;
    }
    return waits > 0 && (owner.thread != 0 || waits >= connections.at(owner.session));
}

/// Everybody who does not wait gives back what he has and leaves; those who are served then do the same.
bool Lockstep::World::someone_is_stuck() const {
    World later = *this;
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& [name, thing] : later.things) {
            changed |= std::erase_if(thing.held, [&](const Held& one) { return !later.blocked(one.owner); }) > 0;
            while (!thing.queue.empty()) {
                const auto first = thing.queue.front();
                if (thing.returns == Returns::ByHolder && !thing.fits(first.units)) break;
                thing.queue.erase(thing.queue.begin());
                // It waits for nothing else then, whatever it waited for: it can release.
                for (auto& [other, elsewhere] : later.things) {
                    std::erase_if(elsewhere.held, [&](const Held& one) { return one.owner == first.owner; });
                }
                if (first.owner.thread == 0) later.connections[first.owner.session] += 100;
                changed = true;
            }
        }
    }
    return std::any_of(later.things.begin(), later.things.end(),
                       [](const auto& entry) { return !entry.second.queue.empty(); });
}

void Lockstep::grant(Thing& thing, Owner owner, std::uint32_t units, WaitId wait) {
    ++seen_.grants;
    if (!thing.is_held()) return;
    ++last_token_;
    if (units == kWhole) thing.abandoned = false;
    const auto had =
        std::find_if(thing.held.begin(), thing.held.end(), [&](const Held& one) { return one.owner == owner; });
    if (had != thing.held.end()) {
        had->units += units;
    } else {
        thing.held.push_back({owner, units, 1, last_token_, wait});
    }
}

void Lockstep::serve(Thing& thing) {
    while (!thing.queue.empty() && thing.fits(thing.queue.front().units)) {
        const auto first = thing.queue.front();
        thing.queue.erase(thing.queue.begin());
        grant(thing, first.owner, first.units, first.id);
        expected_.emplace_back(first.id, Settled::What::Granted);
        ++seen_.handovers;
    }
}

void Lockstep::drop_session(SessionId session, bool orderly) {
    for (auto& [name, thing] : world_.things) {
        for (const auto& one : thing.queue) {
            if (one.owner.session == session) expected_.emplace_back(one.id, Settled::What::Ended);
        }
        std::erase_if(thing.queue, [&](const Waiting& one) { return one.owner.session == session; });
        for (const auto& one : thing.held) {
            if (one.owner.session == session && one.units == kWhole) thing.abandoned = !orderly;
        }
        std::erase_if(thing.held, [&](const Held& one) { return one.owner.session == session; });
    }
    world_.connections.erase(session);
    for (auto& [name, thing] : world_.things) serve(thing);
}

// ---- orders

std::string Lockstep::any_name() { return kNames[choose_(std::size(kNames))]; }

Owner Lockstep::any_owner() {
    auto session = world_.connections.begin();
    std::advance(session, choose_(static_cast<std::uint32_t>(world_.connections.size())));
    return {session->first, choose_(3)};
}

std::string Lockstep::step() {
    while (world_.connections.size() < 2) open();
    expected_.clear();
    switch (choose_(24)) {
        case 0:
            if (world_.connections.size() < kMostSessions) open();
            return compare("open");
        case 1: return compare("end" + end_one());
        case 2: return compare("detach" + detach());
        case 3: return compare("cancel" + cancel());
        case 4: return compare("time" + pass_time());
        case 5: return compare("break" + take_away());
        case 6: return compare("remove" + remove());
        case 13: return compare("event" + set_or_clear());
        case 14: return compare("value" + change_value());
        case 7:
        case 8:
        case 9:
        case 10:
        case 11:
        case 12: return compare("release" + release());
        default: return compare("acquire" + acquire());
    }
}

void Lockstep::open() {
    const auto session = coordinator_.open("s");
    world_.connections[session] = 1;
    if (choose_(2) == 0) return;
    coordinator_.attach(session);
    ++world_.connections[session];
}

std::string Lockstep::acquire() {
    const auto name = any_name();
    const auto owner = any_owner();
    // No connection is left that could ask.
    if (owner.thread == 0 && world_.blocked(owner)) return {};
    auto& thing = world_.things[name];
    const bool shares = !thing.is_held() || choose_(3) == 0;
    const auto units = thing.kind == Kind::Semaphore ? 1 + choose_(3) : shares ? 1 : kWhole;
    Request request{name, 7, owner, thing.kind, units, choose_(2) == 0, choose_(8) != 0, {}};
    if (thing.kind == Kind::Value) request.seen = choose_(4) == 0 ? thing.version - 1 : thing.version;
    std::int64_t deadline = 0;
    if (choose_(3) == 0) {
        deadline = now_ + choose_(20) + 1;
        request.deadline = TimePoint(std::chrono::microseconds(deadline));
    }
    const auto answer = coordinator_.acquire(request, time());
    const auto had =
        std::find_if(thing.held.begin(), thing.held.end(), [&](const Held& one) { return one.owner == owner; });
    const bool has = thing.kind == Kind::Lock && had != thing.held.end();
    const bool queued = thing.kind == Kind::Lock && std::any_of(thing.queue.begin(), thing.queue.end(),
                                                                [&](const Waiting& one) { return one.owner == owner; });
    const auto* refusal = std::get_if<Refusal>(&answer);
    const auto* granted = std::get_if<Grant>(&answer);
    const auto text = " " + name + " by " + std::to_string(owner.session) + "." + std::to_string(owner.thread);
    const auto expect_refusal = [&](Refusal::Why why) {
        ++seen_.refusals;
        return refusal != nullptr && refusal->why == why ? text : text + ": !should be refused";
    };
    if (thing.returns != Returns::Beyond && units > thing.total) return expect_refusal(Refusal::Why::TooMany);
    if (queued) return expect_refusal(Refusal::Why::AlreadyHeld);
    if (has) {
        if (!request.reentrant || had->units < units) return expect_refusal(Refusal::Why::AlreadyHeld);
        ++had->depth;
        return granted != nullptr && granted->depth == had->depth && granted->token == had->token
                   ? text
                   : text + ": !should be had once more";
    }
    const bool has_changed = thing.kind == Kind::Value && request.seen != thing.version;
    if (has_changed || (thing.queue.empty() && thing.fits(units))) {
        const auto token = thing.is_held() ? last_token_ + 1 : thing.version;
        if (granted == nullptr || granted->token != token) return text + ": !should be granted";
        if (granted->abandoned_by.empty() == thing.abandoned) return text + ": !abandoned or not";
        seen_.abandoned += thing.abandoned ? 1 : 0;
        grant(thing, owner, units, 0);
        return text;
    }
    if (!request.waits) return expect_refusal(Refusal::Why::Busy);
    if (owner.thread != 0 && world_.blocked(owner)) return expect_refusal(Refusal::Why::Waits);
    const auto* waits = std::get_if<Queued>(&answer);
    thing.queue.push_back({waits != nullptr ? waits->wait : 0, owner, units, deadline});
    if (world_.someone_is_stuck()) {
        thing.queue.pop_back();
        ++seen_.deadlocks;
        if (refusal == nullptr || refusal->why != Refusal::Why::Deadlock) return text + ": !a knot is not seen";
        return refusal->knot.empty() ? text + ": !an empty knot" : text;
    }
    if (waits == nullptr) return text + ": !should wait";
    return waits->position == thing.queue.size() ? text : text + ": !wrong position";
}

std::string Lockstep::release() {
    const auto name = any_name();
    auto& thing = world_.things[name];
    // Mostly by who has it.
    auto owner = any_owner();
    if (!thing.held.empty() && choose_(8) != 0)
        owner = thing.held[choose_(static_cast<std::uint32_t>(thing.held.size()))].owner;
    const auto units = thing.kind == Kind::Semaphore ? 1 + choose_(2) : 1;
    const auto released = coordinator_.release(thing.kind, name, owner, units, time());
    const auto own =
        std::find_if(thing.held.begin(), thing.held.end(), [&](const Held& one) { return one.owner == owner; });
    const bool there = thing.kind == Kind::Semaphore || !thing.held.empty() || thing.abandoned;
    using How = Released::How;
    const auto expect = [&](How how) { return released.how == how ? " " + name : " " + name + ": !wrong answer"; };
    if (!there) return expect(How::Unknown);
    if (thing.kind == Kind::Lock) {
        if (own == thing.held.end()) return expect(How::NotHeld);
        if (--own->depth == 0) thing.held.erase(own);
        serve(thing);
        return expect(How::Released);
    }
    const std::uint32_t has = own == thing.held.end() ? 0 : own->units;
    if (thing.returns == Returns::ByHolder && units > has) return expect(How::NotHeld);
    std::uint32_t used = thing.total - thing.free();
    if (thing.returns == Returns::ByAnybody && units > used) return expect(How::TooMany);
    for (std::uint32_t i = 0; i < units; ++i) {
        if (thing.held.empty()) {
            ++thing.total;
            continue;
        }
        auto from =
            std::find_if(thing.held.begin(), thing.held.end(), [&](const Held& one) { return one.owner == owner; });
        if (from == thing.held.end())
            from = std::min_element(thing.held.begin(), thing.held.end(),
                                    [](const Held& a, const Held& b) { return a.token < b.token; });
        if (--from->units == 0) thing.held.erase(from);
    }
    serve(thing);
    return expect(How::Released);
}

std::string Lockstep::end_one() {
    const auto session = any_owner().session;
    const bool orderly = choose_(2) == 0;
    coordinator_.end(session, orderly, time());
    drop_session(session, orderly);
    return " " + std::to_string(session);
}

std::string Lockstep::detach() {
    const auto session = any_owner().session;
    if (world_.connections[session] < 2) return {};
    // Not one that waits: its wait would have been cancelled first.
    std::uint32_t waits = 0;
    for (const auto& [name, thing] : world_.things) {
        for (const auto& one : thing.queue) waits += one.owner.session == session && one.owner.thread == 0 ? 1 : 0;
    }
    if (waits >= world_.connections[session]) return {};
    --world_.connections[session];
    coordinator_.detach(session, time());
    while (world_.someone_is_stuck()) {
        Waiting newest{};
        Thing* of = nullptr;
        for (auto& [name, thing] : world_.things) {
            for (const auto& one : thing.queue) {
                if (one.owner != Owner{session, 0} || one.id < newest.id) continue;
                newest = one;
                of = &thing;
            }
        }
        if (of == nullptr) return ": !somebody else is stuck";
        ++seen_.late_deadlocks;
        std::erase_if(of->queue, [&](const Waiting& one) { return one.id == newest.id; });
        expected_.emplace_back(newest.id, Settled::What::Deadlock);
        serve(*of);
    }
    return {};
}

std::string Lockstep::cancel() {
    auto& thing = world_.things[any_name()];
    if (thing.queue.empty()) return {};
    const auto place = thing.queue.begin() + choose_(static_cast<std::uint32_t>(thing.queue.size()));
    const auto id = place->id;
    thing.queue.erase(place);
    coordinator_.cancel(id, time());
    serve(thing);
    return {};
}

std::string Lockstep::pass_time() {
    now_ += choose_(10);
    const auto next = coordinator_.next_deadline();
    coordinator_.advance(time());
    std::int64_t first = 0;
    for (;;) {
        Thing* of = nullptr;
        std::pair<std::int64_t, WaitId> due{now_, ~WaitId{0}};
        for (auto& [name, thing] : world_.things) {
            for (const auto& one : thing.queue) {
                if (one.deadline == 0 || std::pair(one.deadline, one.id) > due) continue;
                due = {one.deadline, one.id};
                of = &thing;
            }
        }
        if (of == nullptr) break;
        if (first == 0) first = due.first;
        ++seen_.timeouts;
        std::erase_if(of->queue, [&](const Waiting& one) { return one.id == due.second; });
        expected_.emplace_back(due.second, Settled::What::TimedOut);
        serve(*of);
    }
    if (first == 0) return {};
    return next && next->time_since_epoch().count() == first ? "" : ": !wrong deadline";
}

std::string Lockstep::take_away() {
    const auto name = any_name();
    auto& thing = world_.things[name];
    const bool can = thing.kind == Kind::Lock && (!thing.held.empty() || thing.abandoned);
    if (coordinator_.take_away(name, time()) != can) return " " + name + ": !taken away or not";
    if (!can) return {};
    if (thing.held.empty()) thing.abandoned = false;
    for (const auto& one : thing.held) thing.abandoned = thing.abandoned || one.units == kWhole;
    thing.held.clear();
    serve(thing);
    return {};
}

std::string Lockstep::remove() {
    const auto name = any_name();
    auto& thing = world_.things[name];
    const bool can = thing.kind == Kind::Semaphore;
    if (coordinator_.remove(Kind::Semaphore, name) != can) return ": !removed or not";
    if (!can) return {};
    for (const auto& one : thing.queue) expected_.emplace_back(one.id, Settled::What::Gone);
    world_.things.erase(name);
    make_semaphores();
    return {};
}

std::string Lockstep::set_or_clear() {
    auto& event = world_.things["event"];
    event.set = choose_(2) == 0;
    if (!event.set) {
        coordinator_.clear_event("event");
        return " clear";
    }
    coordinator_.set_event("event", 7, time());
    serve(event);
    return " set";
}

/// Two cells that always have the same number.
std::string Lockstep::change_value() {
    auto& value = world_.things["value"];
    const Cell number = std::int64_t{choose_(100)};
    Change change{0, {number, number}, choose_(2) == 0, {}, {}, {}};
    if (choose_(2) == 0) change.if_version = value.version - choose_(2);
    const bool differs = change.if_version && *change.if_version != value.version;
    const auto changed = coordinator_.change_value("value", change, time());
    if (differs) return changed.how == Changed::How::Differs ? "" : ": !should differ";
    if (changed.how != Changed::How::Done) return ": !should be done";
    value.number = std::get<std::int64_t>(number) + (change.adds ? value.number : 0);
    value.version = ++last_token_;
    value.set = true;
    serve(value);
    value.set = false;
    if (changed.version != value.version) return ": !another version";
    const auto& cells = coordinator_.find(Kind::Value, "value")->cells;
    return cells.get(0) == Cell(value.number) && cells.get(1) == Cell(value.number) ? "" : ": !another number";
}

std::string Lockstep::finish() {
    while (!world_.connections.empty()) {
        expected_.clear();
        if (auto wrong = compare("end" + end_one()); !wrong.empty()) return wrong;
    }
    return coordinator_.wait_count() == 0 && coordinator_.session_count() == 0 ? "" : "something is left";
}

// ---- comparing

std::string Lockstep::compare(const std::string& what) {
    if (what.find('!') != std::string::npos) return what;
    std::vector<Outcome> settled;
    for (const auto& one : coordinator_.take_settled()) {
        note_token(one);
        if (one.what == Settled::What::Granted && one.grant.token > coordinator_.last_token()) return what + ": !token";
        settled.emplace_back(one.wait, one.what);
    }
    // Where several things are served at once their order is not promised.
    std::sort(settled.begin(), settled.end());
    std::sort(expected_.begin(), expected_.end());
    if (settled != expected_) return what + ": !other outcomes";
    if (coordinator_.last_token() != last_token_) return what + ": !other tokens";
    if (world_.someone_is_stuck()) return what + ": !somebody waits for ever";
    std::size_t waits = 0;
    for (const auto& [name, thing] : world_.things) {
        if (auto wrong = compare_thing(name, thing); !wrong.empty()) return what + wrong;
        waits += thing.queue.size();
    }
    return waits == coordinator_.wait_count() ? "" : what + ": !other number of waits";
}

/// Where one order serves several things, which of them comes first is not promised.
void Lockstep::note_token(const Settled& settled) {
    for (auto& [name, thing] : world_.things) {
        for (auto& one : thing.held) {
            if (one.wait == settled.wait) one.token = settled.grant.token;
        }
    }
}

std::string Lockstep::compare_thing(const std::string& name, const Thing& thing) const {
    const auto* resource = coordinator_.find(thing.kind, name);
    const bool is_made = thing.kind == Kind::Semaphore || thing.kind == Kind::Value;
    const bool lasts = is_made || thing.set || !thing.held.empty() || !thing.queue.empty() || thing.abandoned;
    if ((resource != nullptr) != lasts) return ": !" + name + " is there or not";
    if (resource == nullptr) return {};
    if (resource->is_set != thing.set) return ": !" + name + " is set or not";
    if (resource->total - resource->used != thing.free()) return ": !" + name + " has another number free";
    if (resource->holders.size() != thing.held.size()) return ": !" + name + " has other holders";
    for (const auto& one : thing.held) {
        const auto found = resource->holders.find(one.owner);
        if (found == resource->holders.end() || found->second.units != one.units || found->second.depth != one.depth)
            return ": !" + name + " is held otherwise";
    }
    const auto same = std::equal(resource->queue.begin(), resource->queue.end(), thing.queue.begin(), thing.queue.end(),
                                 [](const Waiter& a, const Waiting& b) { return a.id == b.id && a.owner == b.owner; });
    return same ? "" : ": !" + name + " has another queue";
}

}  // namespace procsup::broker
