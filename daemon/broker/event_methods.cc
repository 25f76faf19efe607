#include <utility>

#include "daemon/broker/broker.h"
#include "daemon/broker/calls.h"
#include "daemon/broker/interface_texts.h"
#include "daemon/broker/interfaces.h"
#include "daemon/broker/names.h"

namespace procsup::broker {
namespace {

using varlink::PendingCall;

constexpr Subject kEvents{Kind::Event,
                          "io.procsupd.Event",
                          "event",
                          "NoSuchEvent",
                          "",
                          "events that are set stay until they are cleared: procsupctl event ls",
                          [](PendingCall& call, const Grant&) { call.reply(); }};

void set(Broker& broker, PendingCall call) {
    const auto full = name_in(kEvents, call);
    if (!full) return;
    if (broker.coordinator().set_event(*full, call.peer().uid, broker.now())) return call.reply();
    fail_too_many_names(kEvents, call, *full);
}

void clear(Broker& broker, PendingCall call) {
    const auto full = name_in(kEvents, call);
    if (!full) return;
    broker.coordinator().clear_event(*full);
    call.reply();
}

void wait(Broker& broker, PendingCall call) {
    const auto name = name_in(kEvents, call);
    if (!name) return;
    Request request;
    request.name = *name;
    request.units = 1;
    acquire(broker, kEvents, std::move(call), request);
}

void write_event(json::Writer& writer, Broker& broker, const Resource& event, std::string_view name) {
    writer.begin_object().member("name", name).member_bool("set", event.is_set);
    if (event.is_set) writer.member_int("setForUSec", (broker.now() - event.set_at).count());
    writer.key("waiters").begin_array();
    for (const auto& waiter : event.queue) {
        write_claim(writer, broker, waiter.owner, waiter.since);
        writer.end_object();
    }
    writer.end_array().end_object();
}

void list(Broker& broker, PendingCall call) {
    std::vector<std::string> names;
    const auto events = things_in(broker, kEvents, call, names);
    json::Writer writer;
    writer.begin_object().key("events").begin_array();
    for (std::size_t i = 0; i < events.size(); ++i)
        write_event(writer, broker, events[i] != nullptr ? *events[i] : Resource(), names[i]);
    call.reply(writer.end_array().end_object().text());
}

}  // namespace

varlink::Interface event_interface(Broker& broker) {
    varlink::Interface interface {
        std::string(kEvents.interface), std::string(kEventText), {}
    };
    interface.methods["Set"] = [&broker](PendingCall call) { set(broker, std::move(call)); };
    interface.methods["Clear"] = [&broker](PendingCall call) { clear(broker, std::move(call)); };
    interface.methods["Wait"] = [&broker](PendingCall call) { wait(broker, std::move(call)); };
    interface.methods["List"] = [&broker](PendingCall call) { list(broker, std::move(call)); };
    return interface;
}

}  // namespace procsup::broker
