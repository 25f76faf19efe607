// Locks: a command that has one while it runs, who has which, and taking one away.
#include <string>

#include "ctl/acquire.h"
#include "ctl/broker.h"
#include "ctl/handlers.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kLock = "io.procsupd.Lock";

std::string sharing(const json::Value& claim) { return claim.bool_or("shared", false) ? " to share it" : ""; }

void add_rows(Table& table, Broker& broker, const json::Value& lock) {
    const auto name = escaped(lock.string_or("name", ""));
    const auto& holders = list_in(lock, "holders");
    const auto waits = broker.waiters_text(list_in(lock, "waiters"), sharing);
    if (holders.empty()) {
        const auto left_by = escaped(lock.string_or("abandonedBy", ""));
        table.add("", {name, left_by.empty() ? "-" : "abandoned by " + left_by, "-", "-", "-", waits});
    }
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const auto& holder = holders[i];
        std::string who = broker.claimer(holder);
        if (holder.bool_or("shared", false)) who += ", shared";
        if (const auto depth = holder.int_or("depth", 1); depth > 1) who += ", " + std::to_string(depth) + " times";
        table.add("", {i == 0 ? name : "", who, age_of(holder), std::to_string(holder.int_or("fencingToken", 0)),
                       holder.bool_or("process", false) ? "process" : "connection", i == 0 ? waits : ""});
    }
}

}  // namespace

int lock(Session& session) {
    const Broker broker(session, kLock);
    const bool shared = session.line().shared;
    return acquire_for_command_or_process(session, {kLock, [shared](json::Writer& writer) {
                                                        if (shared) writer.member_bool("shared", true);
                                                    }});
}

int release_lock(Session& session) {
    const Broker broker(session, kLock);
    json::Writer writer;
    writer.begin_object().member("name", session.line().operands.front());
    writer.member_int("pid", session.line().pid).end_object();
    return session.call(std::string(kLock) + ".Release", writer.text()) ? kSuccess : session.exit_code();
}

int list_locks(Session& session) {
    Broker broker(session, kLock);
    const auto reply = list_named(session, kLock);
    if (!reply) return session.exit_code();
    const auto& locks = list_in(*reply, "locks");
    if (locks.empty()) {
        session.out().note("nobody holds a lock or waits for one");
        return kSuccess;
    }
    Table table;
    table.add("", {"LOCK", "HOLDER", "FOR", "TOKEN", "BOUND TO", "WAITS"});
    for (const auto& one : locks) add_rows(table, broker, one);
    session.out().add(table.text());
    return kSuccess;
}

int break_lock(Session& session) {
    const Broker broker(session, kLock);
    return call_for_name(session, kLock, "Break");
}

}  // namespace procsup::ctl
