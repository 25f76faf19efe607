#include <utility>

#include "daemon/broker/broker.h"
#include "daemon/broker/calls.h"
#include "daemon/broker/interface_texts.h"
#include "daemon/broker/interfaces.h"
#include "daemon/broker/names.h"

namespace procsup::broker {
namespace {

using varlink::PendingCall;

void reply(PendingCall& call, const Grant& grant) {
    json::Writer writer;
    writer.begin_object().member_int("fencingToken", static_cast<std::int64_t>(grant.token));
    writer.member_int("depth", grant.depth);
    if (!grant.abandoned_by.empty()) writer.member("abandonedBy", grant.abandoned_by);
    call.reply(writer.end_object().text());
}

constexpr Subject kLocks{
    Kind::Lock, "io.procsupd.Lock",
    "lock",     "NoSuchLock",
    "",         "locks that were abandoned stay until they are acquired or broken: procsupctl lock ls",
    reply};

void acquire_lock(Broker& broker, PendingCall call) {
    const auto name = name_in(kLocks, call);
    if (!name) return;
    Request request;
    request.name = *name;
    request.units = call.parameters().bool_or("shared", false) ? 1 : kWhole;
    request.reentrant = call.parameters().bool_or("reentrant", false);
    acquire(broker, kLocks, std::move(call), request);
}

void release(Broker& broker, PendingCall call) {
    const auto full = name_in(kLocks, call);
    if (!full) return;
    const auto owner = owner_in(broker, kLocks, call);
    if (!owner) return;
    const auto released = broker.coordinator().release(Kind::Lock, *full, *owner, 1, broker.now());
    if (released.how == Released::How::Released) {
        json::Writer writer;
        return call.reply(writer.begin_object().member_int("depth", released.depth).end_object().text());
    }
    const std::string name(own_name(*full, call.peer().uid));
    fail(kLocks, call, "NotHeld", name, "'" + name + "' is not held by who releases it",
         "it may have been taken away: procsupctl lock break");
}

void write_lock(json::Writer& writer, Broker& broker, const Resource& lock, std::string_view name) {
    writer.begin_object().member("name", name).key("holders").begin_array();
    for (const auto& [owner, holding] : lock.holders) {
        write_claim(writer, broker, owner, holding.since);
        writer.member_bool("shared", holding.units != kWhole);
        writer.member_int("fencingToken", static_cast<std::int64_t>(holding.token));
        writer.member_int("depth", holding.depth).end_object();
    }
    writer.end_array().key("waiters").begin_array();
    for (const auto& waiter : lock.queue) {
        write_claim(writer, broker, waiter.owner, waiter.since);
        writer.member_bool("shared", waiter.units != kWhole).end_object();
    }
    writer.end_array();
    if (!lock.abandoned_by.empty()) writer.member("abandonedBy", lock.abandoned_by);
    writer.end_object();
}

void list(Broker& broker, PendingCall call) {
    std::vector<std::string> names;
    const auto locks = things_in(broker, kLocks, call, names);
    json::Writer writer;
    writer.begin_object().key("locks").begin_array();
    for (std::size_t i = 0; i < locks.size(); ++i) {
        if (locks[i] == nullptr) return fail_no_such(kLocks, call, names[i]);
        write_lock(writer, broker, *locks[i], names[i]);
    }
    call.reply(writer.end_array().end_object().text());
}

void break_lock(Broker& broker, PendingCall call) {
    const auto full = name_in(kLocks, call);
    if (!full) return;
    if (!broker.coordinator().take_away(*full, broker.now()))
        return fail_no_such(kLocks, call, own_name(*full, call.peer().uid));
    call.reply();
}

}  // namespace

varlink::Interface lock_interface(Broker& broker) {
    varlink::Interface interface {
        std::string(kLocks.interface), std::string(kLockText), {}
    };
    interface.methods["Acquire"] = [&broker](PendingCall call) { acquire_lock(broker, std::move(call)); };
    interface.methods["Release"] = [&broker](PendingCall call) { release(broker, std::move(call)); };
    interface.methods["List"] = [&broker](PendingCall call) { list(broker, std::move(call)); };
    interface.methods["Break"] = [&broker](PendingCall call) { break_lock(broker, std::move(call)); };
    return interface;
}

}  // namespace procsup::broker
