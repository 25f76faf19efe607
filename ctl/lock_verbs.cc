// Locks: a command that has one while it runs, who has which, and taking one away.
#include <stdlib.h>

#include <array>
#include <cstdint>
#include <string>

#include "ctl/broker.h"
#include "ctl/deadline.h"
#include "ctl/handlers.h"
#include "ctl/held_command.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kLock = "io.procsupd.Lock";

std::string method(std::string_view name) { return std::string(kLock) + "." + std::string(name); }

/// For the process that calls.
std::string acquire_parameters(const CommandLine& line) {
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front()).member_int("pid", 0);
    if (line.shared) writer.member_bool("shared", true);
    if (line.try_only) writer.member_bool("try", true);
    if (line.timeout) writer.member_int("timeoutUSec", line.timeout->count());
    return writer.end_object().take();
}

/// What the command finds of the lock that it has.
void set_environment(std::int64_t token, const std::string& abandoned_by) {
    setenv("PROCSUPD_FENCING_TOKEN", std::to_string(token).c_str(), 1);
    if (abandoned_by.empty()) {
        unsetenv("PROCSUPD_ABANDONED_BY");
    } else {
        setenv("PROCSUPD_ABANDONED_BY", abandoned_by.c_str(), 1);
    }
}

/// 0: this process has the lock.
int acquire(Session& session) {
    const auto& line = session.line();
    const auto reply = session.call_raw(method("Acquire"), acquire_parameters(line));
    if (!reply) return session.exit_code();
    if (!reply->error.empty()) {
        session.report(*reply);
        session.out().flush();
        const bool in_time = reply->error != method("TimedOut") && reply->error != method("Busy");
        return in_time ? session.exit_code() : kTimedOut;
    }
    const std::string abandoned_by(reply->parameters.string_or("abandonedBy", ""));
    if (!abandoned_by.empty() && !line.quiet)
        session.out().warning(escaped(line.operands.front()) + " was abandoned by " + escaped(abandoned_by) +
                              ": what it protects may be half done");
    set_environment(reply->parameters.int_or("fencingToken", 0), abandoned_by);
    return 0;
}

}  // namespace

int lock(Session& session) {
    const Broker broker(session, kLock);
    // An answer to anything means that the broker has seen the end, which came before. One that stands still is not waited for.
    const auto see_end = [&] {
        auto* client = session.client_if_up();
        if (client == nullptr || !client->send("org.varlink.service.GetInfo", "", false)) return;
        std::array<pollfd, 1> answer{{{client->fd(), POLLIN, 0}}};
        Deadline(std::chrono::seconds(1)).poll(answer);
    };
    const auto code = run_holding(
        session.line().command, [&] { return acquire(session); }, see_end);
    return code ? *code : session.fail(code.error());
}

// ---- lock ls

namespace {

/// "web@1 (pid 4711), owner 3".
std::string claimer(Broker& broker, const json::Value& claim) {
    std::string text = broker.process_text(claim.int_or("pid", 0));
    if (const auto owner = claim.int_or("owner", 0); owner != 0) text += ", owner " + std::to_string(owner);
    return text;
}

std::string age_of(const json::Value& claim) { return age_text(Duration(claim.int_or("forUSec", 0))); }

std::string waiters_text(Broker& broker, const json::Value::Array& waiters) {
    constexpr std::size_t kMost = 3;
    std::string text;
    for (std::size_t i = 0; i < waiters.size() && i < kMost; ++i) {
        const bool shares = waiters[i].bool_or("shared", false);
        text += (text.empty() ? "" : "; ") + claimer(broker, waiters[i]) + (shares ? " to share it" : "") + " for " +
                age_of(waiters[i]);
    }
    if (waiters.size() > kMost) text += "; and " + std::to_string(waiters.size() - kMost) + " more";
    return text.empty() ? "-" : text;
}

void add_rows(Table& table, Broker& broker, const json::Value& lock) {
    const auto name = escaped(lock.string_or("name", ""));
    const auto& holders = list_in(lock, "holders");
    const auto waits = waiters_text(broker, list_in(lock, "waiters"));
    if (holders.empty()) {
        const auto left_by = escaped(lock.string_or("abandonedBy", ""));
        table.add("", {name, left_by.empty() ? "-" : "abandoned by " + left_by, "-", "-", "-", waits});
    }
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const auto& holder = holders[i];
        std::string who = claimer(broker, holder);
        if (holder.bool_or("shared", false)) who += ", shared";
        if (const auto depth = holder.int_or("depth", 1); depth > 1) who += ", " + std::to_string(depth) + " times";
        table.add("", {i == 0 ? name : "", who, age_of(holder), std::to_string(holder.int_or("fencingToken", 0)),
                       holder.bool_or("process", false) ? "process" : "connection", i == 0 ? waits : ""});
    }
}

}  // namespace

int list_locks(Session& session) {
    Broker broker(session, kLock);
    const auto& line = session.line();
    json::Writer writer;
    writer.begin_object();
    if (!line.operands.empty()) {
        writer.key("names").begin_array();
        for (const auto name : line.operands) writer.string(name);
        writer.end_array();
    }
    const auto reply = session.call(method("List"), writer.end_object().text());
    if (!reply) return session.exit_code();
    if (line.json) return kSuccess;
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
    json::Writer writer;
    writer.begin_object().member("name", session.line().operands.front()).end_object();
    return session.call(method("Break"), writer.text()) ? kSuccess : session.exit_code();
}

}  // namespace procsup::ctl
