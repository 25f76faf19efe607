// Semaphores: a command that has permits while it runs, who has which, and giving them back.
#include <string>

#include "ctl/acquire.h"
#include "ctl/broker.h"
#include "ctl/handlers.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kSemaphore = "io.procsupd.Semaphore";

/// False: there is another one, which was reported.
bool make_if_asked(Session& session) {
    const auto& line = session.line();
    if (!line.permits) return true;
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front()).member_int("permits", *line.permits).end_object();
    const auto reply = session.call_raw(std::string(kSemaphore) + ".Make", writer.text());
    if (reply && !reply->error.empty()) session.report(*reply);
    return reply && reply->error.empty();
}

std::string permits_text(const json::Value& claim) {
    const auto permits = claim.int_or("permits", 1);
    return permits == 1 ? "" : ", " + std::to_string(permits) + " permits";
}

void add_rows(Table& table, Broker& broker, const json::Value& semaphore) {
    const auto name = escaped(semaphore.string_or("name", ""));
    const auto free =
        std::to_string(semaphore.int_or("free", 0)) + " of " + std::to_string(semaphore.int_or("permits", 0));
    const auto& holders = list_in(semaphore, "holders");
    const auto waits = broker.waiters_text(list_in(semaphore, "waiters"), permits_text);
    if (holders.empty()) table.add("", {name, free, "-", "-", "-", waits});
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const auto& holder = holders[i];
        const bool first = i == 0;
        table.add("",
                  {first ? name : "", first ? free : "", broker.claimer(holder) + permits_text(holder), age_of(holder),
                   holder.bool_or("process", false) ? "process" : "connection", first ? waits : ""});
    }
}

}  // namespace

int acquire_permits(Session& session) {
    const Broker broker(session, kSemaphore);
    if (!make_if_asked(session)) return session.exit_code();
    const auto count = session.line().permit_count;
    return acquire_for_command_or_process(
        session, {kSemaphore, [count](json::Writer& writer) { writer.member_int("count", count); }});
}

int release_permits(Session& session) {
    const Broker broker(session, kSemaphore);
    const auto& line = session.line();
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front()).member_int("count", line.permit_count);
    if (line.pid != 0) writer.member_int("pid", line.pid);
    return session.call(std::string(kSemaphore) + ".Release", writer.end_object().text()) ? kSuccess
                                                                                          : session.exit_code();
}

int list_semaphores(Session& session) {
    Broker broker(session, kSemaphore);
    const auto reply = list_named(session, kSemaphore);
    if (!reply) return session.exit_code();
    const auto& semaphores = list_in(*reply, "semaphores");
    if (semaphores.empty()) {
        session.out().note("there are no semaphores");
        return kSuccess;
    }
    Table table;
    table.add("", {"SEMAPHORE", "FREE", "HOLDER", "FOR", "BOUND TO", "WAITS"});
    for (const auto& one : semaphores) add_rows(table, broker, one);
    session.out().add(table.text());
    return kSuccess;
}

int remove_semaphore(Session& session) {
    const Broker broker(session, kSemaphore);
    return call_for_name(session, kSemaphore, "Remove");
}

}  // namespace procsup::ctl
