// Events: setting them, waiting for them, and which are set.
#include <string>

#include "ctl/broker.h"
#include "ctl/handlers.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kEvent = "io.procsupd.Event";

}  // namespace

int set_event(Session& session) {
    const Broker broker(session, kEvent);
    return call_for_name(session, kEvent, "Set");
}

int clear_event(Session& session) {
    const Broker broker(session, kEvent);
    return call_for_name(session, kEvent, "Clear");
}

int wait_for_event(Session& session) {
    const Broker broker(session, kEvent);
    const auto& line = session.line();
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front());
    if (line.try_only) writer.member_bool("try", true);
    if (line.timeout) writer.member_int("timeoutUSec", line.timeout->count());
    const auto reply = session.call_raw(std::string(kEvent) + ".Wait", writer.end_object().text());
    if (!reply) return session.exit_code();
    return reply->error.empty() ? kSuccess : report_refusal(session, *reply);
}

int list_events(Session& session) {
    Broker broker(session, kEvent);
    const auto reply = list_named(session, kEvent);
    if (!reply) return session.exit_code();
    const auto& events = list_in(*reply, "events");
    if (events.empty()) {
        session.out().note("no event is set or waited for");
        return kSuccess;
    }
    Table table;
    table.add("", {"EVENT", "STATE", "FOR", "WAITS"});
    for (const auto& event : events) {
        const bool is_set = event.bool_or("set", false);
        table.add("", {escaped(event.string_or("name", "")), is_set ? "set" : "clear",
                       is_set ? age_text(Duration(event.int_or("setForUSec", 0))) : "-",
                       broker.waiters_text(list_in(event, "waiters"))});
    }
    session.out().add(table.text());
    return kSuccess;
}

}  // namespace procsup::ctl
