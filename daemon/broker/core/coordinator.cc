#include "daemon/broker/core/coordinator.h"

#include <algorithm>
#include <utility>

namespace procsup::broker {
namespace {

Refusal refused(Refusal::Why why) { return {why, {}}; }

}  // namespace

// ---- sessions

SessionId Coordinator::open(std::string label) {
    sessions_.emplace(++last_session_, Session{std::move(label), 1, {}, {}});
    return last_session_;
}

void Coordinator::attach(SessionId session) {
    const auto found = sessions_.find(session);
    if (found != sessions_.end()) ++found->second.connections;
}

void Coordinator::detach(SessionId session, TimePoint now) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end() || found->second.connections == 0) return;
    --found->second.connections;
    // Those that are left may all be waiting now, and for each other.
    const Owner owner{session, 0};
    while (is_blocked(owner) && others_wait_for(session)) {
        auto knot = knot_around(owner);
        if (knot.empty()) return;
        const auto newest = std::prev(found->second.waits.upper_bound(0))->second;
        const auto wait = waits_.find(newest);
        auto& resource = *wait->second.resource;
        drop_wait(wait);
        settle({newest, Settled::What::Deadlock, {}, std::move(knot)});
        serve(resource, now);
        forget_if_idle(resource);
    }
}

void Coordinator::end(SessionId session, bool orderly, TimePoint now) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    auto touched = found->second.held;
    while (!found->second.waits.empty()) {
        const auto wait = waits_.find(found->second.waits.begin()->second);
        touched.insert(wait->second.resource);
        settle({wait->first, Settled::What::Ended, {}, {}});
        drop_wait(wait);
    }
    const auto abandoned_by = orderly ? std::string() : found->second.label;
    for (auto* resource : found->second.held) drop_from(*resource, session, abandoned_by);
    sessions_.erase(found);
    for (auto* resource : touched) {
        serve(*resource, now);
        forget_if_idle(*resource);
    }
}

void Coordinator::drop_from(Resource& resource, SessionId session, const std::string& abandoned_by) {
    auto holding = resource.holders.lower_bound(Owner{session, 0});
    while (holding != resource.holders.end() && holding->first.session == session) {
        if (resource.kind == Kind::Lock && holding->second.units == kWhole) resource.abandoned_by = abandoned_by;
        resource.used -= holding->second.units;
        holding = resource.holders.erase(holding);
    }
}

// ---- acquire

Answer Coordinator::acquire(const Request& request, TimePoint now) {
    if (!sessions_.contains(request.owner.session)) return refused(Refusal::Why::Unknown);
    auto* resource = known(request.kind, request.name);
    const bool is_made = request.kind == Kind::Semaphore || request.kind == Kind::Value;
    if (resource == nullptr && is_made) return refused(Refusal::Why::Unknown);
    if (resource == nullptr) resource = make(request.kind, request.name, request.account);
    if (resource == nullptr) return refused(Refusal::Why::TooManyNames);
    auto answer = answer_at_once(*resource, request, now);
    if (!answer) answer = wait(*resource, request, now);
    forget_if_idle(*resource);
    return std::move(*answer);
}

Resource* Coordinator::known(Kind kind, std::string_view name) const {
    const auto& of_kind = resources_[static_cast<std::size_t>(kind)];
    const auto found = of_kind.find(name);
    return found == of_kind.end() ? nullptr : found->second.get();
}

/// Null: the account has too many.
Resource* Coordinator::make(Kind kind, std::string_view name, std::uint64_t account) {
    auto& names = accounts_[account].names;
    if (names >= most_names_) return nullptr;
    ++names;
    auto made = std::make_unique<Resource>();
    made->name = name;
    made->account = account;
    made->kind = kind;
    auto* resource = made.get();
    // Anybody can set an event and change a value.
    if (!resource->is_held()) resource->returns = Returns::Beyond;
    resources_[static_cast<std::size_t>(kind)].emplace(resource->name, std::move(made));
    return resource;
}

void Coordinator::erase(Resource& resource) {
    const auto account = accounts_.find(resource.account);
    account->second.bytes -= resource.cells.size();
    if (--account->second.names == 0) accounts_.erase(account);
    auto& of_kind = resources_[static_cast<std::size_t>(resource.kind)];
    of_kind.erase(of_kind.find(resource.name));
}

std::optional<Answer> Coordinator::answer_at_once(Resource& resource, const Request& request, TimePoint now) {
    const bool grows = resource.returns == Returns::Beyond;
    const bool can_ever = request.units > 0 && (grows || request.units <= resource.total);
    if (!can_ever) return refused(Refusal::Why::TooMany);
    if (resource.kind == Kind::Lock) {
        if (auto answer = of_what_it_has(resource, request)) return answer;
    }
    // Who comes later waits behind those that wait, also where he alone could have it.
    const bool has_changed = resource.kind == Kind::Value && resource.version != request.seen;
    if (has_changed || (resource.queue.empty() && resource.fits(request.units))) {
        return grant(resource, request.owner, request.units, now);
    }
    if (!request.waits) return refused(Refusal::Why::Busy);
    const bool waits =
        request.owner.thread != 0 && sessions_.at(request.owner.session).waits.contains(request.owner.thread);
    if (waits) return refused(Refusal::Why::Waits);
    return std::nullopt;
}

std::optional<Answer> Coordinator::of_what_it_has(Resource& lock, const Request& request) {
    // Each of its acquisitions would have to be released by itself.
    if (waits_for(request.owner, lock)) return refused(Refusal::Why::AlreadyHeld);
    const auto had = lock.holders.find(request.owner);
    if (had == lock.holders.end()) return std::nullopt;
    auto& holding = had->second;
    // To have all of what it shares it would have to wait for the others, who may want the same.
    if (!request.reentrant || holding.units < request.units || holding.depth == kMostPermits)
        return refused(Refusal::Why::AlreadyHeld);
    return Grant{holding.token, ++holding.depth, {}};
}

bool Coordinator::waits_for(Owner owner, const Resource& resource) const {
    const auto [from, to] = sessions_.at(owner.session).waits.equal_range(owner.thread);
    return std::any_of(from, to, [&](const auto& entry) { return waits_.at(entry.second).resource == &resource; });
}

Answer Coordinator::wait(Resource& resource, const Request& request, TimePoint now) {
    const auto id = ++last_wait_;
    const auto place =
        resource.queue.insert(resource.queue.end(), {id, request.owner, request.units, now, request.deadline});
    auto& session = sessions_.at(request.owner.session);
    session.waits.emplace(request.owner.thread, id);
    const auto wait = waits_.emplace(id, Wait{&resource, place}).first;
    if (request.deadline) deadlines_.emplace(*request.deadline, id);
    if (is_blocked(request.owner) && others_wait_for(request.owner.session)) {
        auto knot = knot_around(request.owner);
        if (!knot.empty()) {
            drop_wait(wait);
            return Refusal{Refusal::Why::Deadlock, std::move(knot)};
        }
    }
    return Queued{id, resource.queue.size()};
}

Grant Coordinator::grant(Resource& resource, Owner owner, std::uint32_t units, TimePoint now) {
    Grant made;
    if (!resource.is_held()) {
        made.token = resource.version;
        return made;
    }
    made.token = ++last_token_;
    auto [holding, first] = resource.holders.try_emplace(owner, Holding{units, 1, made.token, now});
    if (!first) holding->second.units += units;
    resource.used += units;
    sessions_.at(owner.session).held.insert(&resource);
    made.abandoned_by = resource.abandoned_by;
    if (units == kWhole) resource.abandoned_by.clear();
    return made;
}

// ---- release

Released Coordinator::release(Kind kind, std::string_view name, Owner owner, std::uint32_t units, TimePoint now) {
    auto* resource = known(kind, name);
    if (resource == nullptr || !resource->is_held()) return {Released::How::Unknown, 0};
    const auto released =
        kind == Kind::Lock ? release_lock(*resource, owner) : release_permits(*resource, owner, units);
    serve(*resource, now);
    forget_if_idle(*resource);
    return released;
}

Released Coordinator::release_lock(Resource& lock, Owner owner) {
    const auto holding = lock.holders.find(owner);
    if (holding == lock.holders.end()) return {Released::How::NotHeld, 0};
    const auto left = --holding->second.depth;
    if (left == 0) take(lock, holding, holding->second.units);
    return {Released::How::Released, left};
}

Released Coordinator::release_permits(Resource& semaphore, Owner owner, std::uint32_t units) {
    using How = Released::How;
    const auto own = semaphore.holders.find(owner);
    const std::uint32_t has = own == semaphore.holders.end() ? 0 : own->second.units;
    if (semaphore.returns == Returns::ByHolder && units > has) return {How::NotHeld, 0};
    const std::uint32_t beyond = units > semaphore.used ? units - semaphore.used : 0;
    if (units == 0 || (beyond > 0 && semaphore.returns != Returns::Beyond)) return {How::TooMany, 0};
    if (beyond > kMostPermits - semaphore.total) return {How::TooMany, 0};
    auto held = units - beyond;
    const auto take_from = [&](std::map<Owner, Holding>::iterator holding) {
        const auto part = std::min(held, holding->second.units);
        held -= part;
        take(semaphore, holding, part);
    };
    if (has > 0) take_from(own);
    while (held > 0) {
        take_from(std::min_element(semaphore.holders.begin(), semaphore.holders.end(),
                                   [](const auto& a, const auto& b) { return a.second.token < b.second.token; }));
    }
    semaphore.total += beyond;
    return {How::Released, 0};
}

void Coordinator::take(Resource& resource, std::map<Owner, Holding>::iterator holding, std::uint32_t units) {
    resource.used -= units;
    holding->second.units -= units;
    if (holding->second.units > 0) return;
    const auto session = holding->first.session;
    resource.holders.erase(holding);
    const auto next = resource.holders.lower_bound(Owner{session, 0});
    const bool has_more = next != resource.holders.end() && next->first.session == session;
    if (!has_more) sessions_.at(session).held.erase(&resource);
}

bool Coordinator::take_away(std::string_view name, TimePoint now) {
    auto* found = known(Kind::Lock, name);
    if (found == nullptr) return false;
    auto& lock = *found;
    // Where nobody has it there is no more to forget.
    if (lock.holders.empty()) lock.abandoned_by.clear();
    while (!lock.holders.empty()) {
        const auto holding = lock.holders.begin();
        if (holding->second.units == kWhole) lock.abandoned_by = sessions_.at(holding->first.session).label;
        take(lock, holding, holding->second.units);
    }
    serve(lock, now);
    forget_if_idle(lock);
    return true;
}

// ---- waits

void Coordinator::cancel(WaitId id, TimePoint now) {
    const auto wait = waits_.find(id);
    if (wait == waits_.end()) return;
    auto& resource = *wait->second.resource;
    drop_wait(wait);
    // Those behind it may share what it wanted for itself.
    serve(resource, now);
    forget_if_idle(resource);
}

void Coordinator::drop_wait(std::unordered_map<WaitId, Wait>::iterator wait) {
    const auto [resource, place] = wait->second;
    auto& waits = sessions_.at(place->owner.session).waits;
    const auto [from, to] = waits.equal_range(place->owner.thread);
    waits.erase(std::find_if(from, to, [&](const auto& entry) { return entry.second == wait->first; }));
    if (place->deadline) deadlines_.erase({*place->deadline, wait->first});
    resource->queue.erase(place);
    waits_.erase(wait);
}

void Coordinator::serve(Resource& resource, TimePoint now) {
    while (!resource.queue.empty() && resource.fits(resource.queue.front().units)) {
        const auto first = resource.queue.front();
        drop_wait(waits_.find(first.id));
        settle({first.id, Settled::What::Granted, grant(resource, first.owner, first.units, now), {}});
    }
}

std::optional<TimePoint> Coordinator::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

void Coordinator::advance(TimePoint now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto id = deadlines_.begin()->second;
        settle({id, Settled::What::TimedOut, {}, {}});
        cancel(id, now);
    }
}

// ---- semaphores

Coordinator::Made Coordinator::make_semaphore(std::string_view name, std::uint64_t account, std::uint32_t permits,
                                              Returns returns) {
    if (const auto* there = known(Kind::Semaphore, name)) {
        const bool grows = returns == Returns::Beyond;
        const bool same = there->returns == returns && (grows || there->total == permits);
        return same ? Made::ThereAlready : Made::Differs;
    }
    auto* made = make(Kind::Semaphore, name, account);
    if (made == nullptr) return Made::TooManyNames;
    made->total = permits;
    made->returns = returns;
    return Made::Yes;
}

bool Coordinator::remove(Kind kind, std::string_view name) {
    auto* found = known(kind, name);
    if (found == nullptr) return false;
    auto& resource = *found;
    while (!resource.queue.empty()) {
        const auto id = resource.queue.front().id;
        drop_wait(waits_.find(id));
        settle({id, Settled::What::Gone, {}, {}});
    }
    while (!resource.holders.empty()) take(resource, resource.holders.begin(), resource.holders.begin()->second.units);
    erase(resource);
    return true;
}

// ---- events

bool Coordinator::set_event(std::string_view name, std::uint64_t account, TimePoint now) {
    auto* event = known(Kind::Event, name);
    if (event == nullptr) event = make(Kind::Event, name, account);
    if (event == nullptr) return false;
    if (!std::exchange(event->is_set, true)) event->set_at = now;
    serve(*event, now);
    return true;
}

void Coordinator::clear_event(std::string_view name) {
    auto* event = known(Kind::Event, name);
    if (event == nullptr) return;
    event->is_set = false;
    forget_if_idle(*event);
}

// ---- what is there

void Coordinator::forget_if_idle(Resource& resource) {
    if (!resource.lasts()) erase(resource);
}

const Resource* Coordinator::find(Kind kind, std::string_view name) const { return known(kind, name); }

const Resource* Coordinator::waited_for(WaitId wait) const {
    const auto found = waits_.find(wait);
    return found == waits_.end() ? nullptr : found->second.resource;
}

std::vector<const Resource*> Coordinator::all(Kind kind) const {
    const auto& of_kind = resources_[static_cast<std::size_t>(kind)];
    std::vector<const Resource*> found;
    found.reserve(of_kind.size());
    for (const auto& [name, resource] : of_kind) found.push_back(resource.get());
    std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
    return found;
}

}  // namespace procsup::broker
