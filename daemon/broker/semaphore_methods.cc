#include <array>
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
    call.reply(writer.end_object().text());
}

constexpr Subject kSemaphores{Kind::Semaphore,
                              "io.procsupd.Semaphore",
                              "semaphore",
                              "NoSuchSemaphore",
                              "it is made with its number of permits: procsupctl sem acquire --permits N",
                              "semaphores stay until they are removed: procsupctl sem rm",
                              reply};

/// As the interface calls them, in the order of Returns.
constexpr std::array<std::string_view, 3> kReturns{"byHolder", "byAnybody", "beyond"};

std::string_view text_of(Returns returns) { return kReturns[static_cast<std::size_t>(returns)]; }

Returns returns_in(const PendingCall& call) {
    const auto asked = call.parameters().string_or("releasable", kReturns[0]);
    for (const auto returns : {Returns::ByAnybody, Returns::Beyond}) {
        if (asked == text_of(returns)) return returns;
    }
    return Returns::ByHolder;
}

void make(Broker& broker, PendingCall call) {
    const auto full = name_in(kSemaphores, call);
    if (!full) return;
    const auto permits = call.parameters().int_or("permits", 0);
    if (permits < 0 || permits > kMostPermits) return call.fail_invalid_parameter("permits");
    const auto made = broker.coordinator().make_semaphore(*full, call.peer().uid, static_cast<std::uint32_t>(permits),
                                                          returns_in(call));
    const std::string name(own_name(*full, call.peer().uid));
    if (made == Coordinator::Made::TooManyNames) return fail_too_many_names(kSemaphores, call, *full);
    if (made == Coordinator::Made::Differs) {
        const auto* there = broker.coordinator().find(Kind::Semaphore, *full);
        return fail(kSemaphores, call, "Differs", name,
                    "there is a semaphore '" + name + "' of " + std::to_string(there->total) +
                        " permits already, releasable " + std::string(text_of(there->returns)),
                    "procsupctl sem rm " + name);
    }
    json::Writer writer;
    writer.begin_object().member_bool("made", made == Coordinator::Made::Yes).end_object();
    call.reply(writer.text());
}

void acquire_permits(Broker& broker, PendingCall call) {
    const auto name = name_in(kSemaphores, call);
    if (!name) return;
    const auto count = count_in(call, "count");
    if (!count) return;
    Request request;
    request.name = *name;
    request.units = *count;
    acquire(broker, kSemaphores, std::move(call), request);
}

void release(Broker& broker, PendingCall call) {
    const auto full = name_in(kSemaphores, call);
    if (!full) return;
    const auto count = count_in(call, "count");
    if (!count) return;
    const auto owner = owner_in(broker, kSemaphores, call);
    if (!owner) return;
    const std::string name(own_name(*full, call.peer().uid));
    switch (broker.coordinator().release(Kind::Semaphore, *full, *owner, *count, broker.now()).how) {
        case Released::How::Released: break;
        case Released::How::NotHeld:
            return fail(kSemaphores, call, "NotHeld", name, "who releases '" + name + "' has not so many permits of it",
                        "procsupctl sem ls " + name);
        case Released::How::TooMany:
            return fail(kSemaphores, call, "NotHeld", name, "not so many permits of '" + name + "' are held",
                        "procsupctl sem ls " + name);
        case Released::How::Unknown: return fail_no_such(kSemaphores, call, name);
    }
    const auto* semaphore = broker.coordinator().find(Kind::Semaphore, *full);
    json::Writer writer;
    call.reply(writer.begin_object().member_int("free", semaphore->total - semaphore->used).end_object().text());
}

void write_semaphore(json::Writer& writer, Broker& broker, const Resource& semaphore, std::string_view name) {
    writer.begin_object().member("name", name).member_int("permits", semaphore.total);
    writer.member_int("free", semaphore.total - semaphore.used).member("releasable", text_of(semaphore.returns));
    writer.key("holders").begin_array();
    for (const auto& [owner, holding] : semaphore.holders) {
        write_claim(writer, broker, owner, holding.since);
        writer.member_int("permits", holding.units);
        writer.member_int("fencingToken", static_cast<std::int64_t>(holding.token)).end_object();
    }
    writer.end_array().key("waiters").begin_array();
    for (const auto& waiter : semaphore.queue) {
        write_claim(writer, broker, waiter.owner, waiter.since);
        writer.member_int("permits", waiter.units).end_object();
    }
    writer.end_array().end_object();
}

void list(Broker& broker, PendingCall call) {
    std::vector<std::string> names;
    const auto semaphores = things_in(broker, kSemaphores, call, names);
    json::Writer writer;
    writer.begin_object().key("semaphores").begin_array();
    for (std::size_t i = 0; i < semaphores.size(); ++i) {
        if (semaphores[i] == nullptr) return fail_no_such(kSemaphores, call, names[i]);
        write_semaphore(writer, broker, *semaphores[i], names[i]);
    }
    call.reply(writer.end_array().end_object().text());
}

void remove(Broker& broker, PendingCall call) {
    const auto full = name_in(kSemaphores, call);
    if (!full) return;
    if (!broker.coordinator().remove(Kind::Semaphore, *full))
        return fail_no_such(kSemaphores, call, own_name(*full, call.peer().uid));
    call.reply();
}

}  // namespace

varlink::Interface semaphore_interface(Broker& broker) {
    varlink::Interface interface {
        std::string(kSemaphores.interface), std::string(kSemaphoreText), {}
    };
    interface.methods["Make"] = [&broker](PendingCall call) { make(broker, std::move(call)); };
    interface.methods["Acquire"] = [&broker](PendingCall call) { acquire_permits(broker, std::move(call)); };
    interface.methods["Release"] = [&broker](PendingCall call) { release(broker, std::move(call)); };
    interface.methods["List"] = [&broker](PendingCall call) { list(broker, std::move(call)); };
    interface.methods["Remove"] = [&broker](PendingCall call) { remove(broker, std::move(call)); };
    return interface;
}

}  // namespace procsup::broker
