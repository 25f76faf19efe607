#include "daemon/broker/lock_methods.h"

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "common/units.h"
#include "daemon/broker/broker.h"
#include "daemon/broker/interface_texts.h"
#include "daemon/broker/names.h"

namespace procsup::broker {
namespace {

using varlink::PendingCall;

std::string error_name(std::string_view error) { return "io.procsupd.Lock." + std::string(error); }

void fail(PendingCall& call, std::string_view error, std::string_view name, const std::string& message,
          std::string_view hint = {}) {
    json::Writer writer;
    writer.begin_object().member("name", name).member("message", message);
    if (!hint.empty()) writer.member("hint", hint);
    call.fail_with(error_name(error), writer.end_object().text());
}

// ---- what a call says

/// The full name; reports what is wrong with it.
std::optional<std::string> name_in(PendingCall& call) {
    auto name = full_name(call.parameters().string_or("name", ""), call.peer().uid);
    if (name) return std::move(*name);
    if (name.error().os_error == EACCES) {
        call.fail(error_name("PermissionDenied"), name.error().message);
        return std::nullopt;
    }
    json::Writer writer;
    writer.begin_object().member("parameter", "name").member("message", name.error().message).end_object();
    call.fail_with("org.varlink.service.InvalidParameter", writer.text());
    return std::nullopt;
}

void fail_no_such_process(PendingCall& call, std::int64_t pid, const std::string& message) {
    json::Writer writer;
    writer.begin_object().member_int("pid", pid).member("message", message).end_object();
    call.fail_with(error_name("NoSuchProcess"), writer.text());
}

/// Whom it is for; reports why there is nobody.
std::optional<Owner> owner_in(Broker& broker, PendingCall& call) {
    const auto thread = call.parameters().int_or("owner", 0);
    if (thread < 0 || (call.parameters().find("owner") != nullptr && thread == 0)) {
        call.fail_invalid_parameter("owner");
        return std::nullopt;
    }
    const auto* process = call.parameters().find("pid");
    if (process == nullptr) return Owner{broker.sessions().of_connection(call), static_cast<std::uint64_t>(thread)};
    const auto pid = *process->as_int();
    if (pid < 0 || pid > INT32_MAX) {
        call.fail_invalid_parameter("pid");
        return std::nullopt;
    }
    const auto session = broker.sessions().of_process(call, static_cast<pid_t>(pid));
    if (session) return Owner{*session, static_cast<std::uint64_t>(thread)};
    const auto& error = session.error();
    if (error.os_error == ESRCH) {
        fail_no_such_process(call, pid, error.message);
    } else {
        call.fail(error_name(error.os_error == EPERM ? "PermissionDenied" : "TooMany"), error.message);
    }
    return std::nullopt;
}

// ---- who

std::string who(Broker& broker, Owner owner) {
    const auto& facts = broker.sessions().facts(owner.session);
    std::string text = facts.pid == 0 ? "a process of another container" : "pid " + std::to_string(facts.pid);
    if (owner.thread != 0) text += ", owner " + std::to_string(owner.thread);
    return text;
}

std::string holders_text(Broker& broker, const Resource& lock) {
    constexpr std::size_t kMost = 3;
    std::string text;
    std::size_t count = 0;
    for (const auto& [owner, holding] : lock.holders) {
        if (count++ < kMost) text += (text.empty() ? "" : "; ") + who(broker, owner);
    }
    if (count > kMost) text += "; and " + std::to_string(count - kMost) + " more";
    return text.empty() ? "others who wait for it" : text;
}

// ---- answers

void reply(PendingCall& call, const Grant& grant) {
    json::Writer writer;
    writer.begin_object().member_int("fencingToken", static_cast<std::int64_t>(grant.token));
    writer.member_int("depth", grant.depth);
    if (!grant.abandoned_by.empty()) writer.member("abandonedBy", grant.abandoned_by);
    call.reply(writer.end_object().text());
}

void fail_deadlock(Broker& broker, PendingCall& call, const std::string& name, const std::vector<KnotStep>& knot) {
    const auto uid = call.peer().uid;
    std::string text;
    json::Writer writer;
    writer.begin_object().member("name", name).key("cycle").begin_array();
    for (const auto& step : knot) {
        const std::string resource(own_name(step.resource, uid));
        writer.begin_object().member("waiter", who(broker, step.waiter)).member("lock", resource);
        writer.key("holders").begin_array();
        std::string holders;
        for (const auto& holder : step.holders) {
            writer.string(who(broker, holder));
            holders += (holders.empty() ? "" : " and ") + who(broker, holder);
        }
        writer.end_array().end_object();
        text += (text.empty() ? "" : "; ") + who(broker, step.waiter) + " waits for " + resource + ", which " +
                holders + (step.holders.size() == 1 ? " has" : " have");
    }
    writer.end_array().member("message", "to wait for '" + name + "' would never end: " + text);
    writer.member("hint", "acquire several locks in the same order everywhere, or release one before the next");
    call.fail_with(error_name("Deadlock"), writer.end_object().text());
}

void fail_refused(Broker& broker, PendingCall& call, const std::string& full, const Refusal& refusal) {
    const std::string name(own_name(full, call.peer().uid));
    switch (refusal.why) {
        case Refusal::Why::AlreadyHeld:
            return fail(call, "AlreadyHeld", name, "'" + name + "' is held, or waited for, by who asks for it",
                        "ask with reentrant = true to have it several times; what is shared has to be released before");
        case Refusal::Why::Busy: {
            const auto* lock = broker.coordinator().find(full);
            return fail(call, "Busy", name,
                        "'" + name + "' is held by " + (lock != nullptr ? holders_text(broker, *lock) : "others"));
        }
        case Refusal::Why::Deadlock: return fail_deadlock(broker, call, name, refusal.knot);
        case Refusal::Why::TooManyNames:
            return fail(call, "TooMany", name, "this user has too many locks",
                        "locks that were abandoned stay until they are acquired or broken: procsupctl lock ls");
        case Refusal::Why::Waits: return call.fail_invalid_parameter("owner");
        case Refusal::Why::TooMany:
        case Refusal::Why::OtherKind:
        case Refusal::Why::Unknown: return call.fail_invalid_parameter("name");
    }
}

// ---- methods

void acquire(Broker& broker, PendingCall call) {
    const auto name = name_in(call);
    if (!name) return;
    const auto& asked = call.parameters();
    const auto timeout = asked.int_or("timeoutUSec", 0);
    if (timeout < 0) return call.fail_invalid_parameter("timeoutUSec");
    const auto owner = owner_in(broker, call);
    if (!owner) return;
    Request request;
    request.name = *name;
    request.account = call.peer().uid;
    request.owner = *owner;
    request.units = asked.bool_or("shared", false) ? 1 : kWhole;
    request.reentrant = asked.bool_or("reentrant", false);
    request.waits = !asked.bool_or("try", false);
    const auto now = broker.now();
    // Longer than any machine runs is for ever.
    const bool ends = asked.find("timeoutUSec") != nullptr && Duration(timeout) < TimePoint::max() - now;
    if (ends) request.deadline = now + Duration(timeout);
    const auto answer = broker.coordinator().acquire(request, now);
    if (const auto* grant = std::get_if<Grant>(&answer)) return reply(call, *grant);
    if (const auto* refusal = std::get_if<Refusal>(&answer)) return fail_refused(broker, call, *name, *refusal);
    broker.answer_later(std::get<Queued>(answer).wait, std::move(call), *name);
}

void release(Broker& broker, PendingCall call) {
    const auto full = name_in(call);
    if (!full) return;
    const auto owner = owner_in(broker, call);
    if (!owner) return;
    const auto released = broker.coordinator().release(*full, *owner, 1, broker.now());
    if (released.how == Released::How::Released) {
        json::Writer writer;
        return call.reply(writer.begin_object().member_int("depth", released.depth).end_object().text());
    }
    const std::string name(own_name(*full, call.peer().uid));
    fail(call, "NotHeld", name, "'" + name + "' is not held by who releases it",
         "it may have been taken away: procsupctl lock break");
}

void write_claim(json::Writer& writer, Broker& broker, Owner owner, bool shared, TimePoint since) {
    const auto& facts = broker.sessions().facts(owner.session);
    writer.begin_object().member_int("pid", facts.pid).member_int("uid", facts.uid);
    writer.member_bool("process", facts.process).member_bool("shared", shared);
    if (owner.thread != 0) writer.member_int("owner", static_cast<std::int64_t>(owner.thread));
    writer.member_int("forUSec", (broker.now() - since).count());
}

void write_lock(json::Writer& writer, Broker& broker, const Resource& lock, uid_t uid) {
    writer.begin_object().member("name", own_name(lock.name, uid)).key("holders").begin_array();
    for (const auto& [owner, holding] : lock.holders) {
        write_claim(writer, broker, owner, holding.units != kWhole, holding.since);
        writer.member_int("fencingToken", static_cast<std::int64_t>(holding.token));
        writer.member_int("depth", holding.depth).end_object();
    }
    writer.end_array().key("waiters").begin_array();
    for (const auto& waiter : lock.queue) {
        write_claim(writer, broker, waiter.owner, waiter.units != kWhole, waiter.since);
        writer.end_object();
    }
    writer.end_array();
    if (!lock.abandoned_by.empty()) writer.member("abandonedBy", lock.abandoned_by);
    writer.end_object();
}

void fail_no_such(PendingCall& call, std::string_view name) {
    fail(call, "NoSuchLock", name, "nobody holds a lock '" + std::string(name) + "' or waits for it");
}

void list(Broker& broker, PendingCall call) {
    const auto uid = call.peer().uid;
    std::vector<const Resource*> locks;
    if (const auto* names = call.parameters().find("names")) {
        for (const auto& asked : *names->as_array()) {
            const auto full = full_name(*asked.as_string(), uid);
            const auto* lock = full ? broker.coordinator().find(*full) : nullptr;
            if (lock == nullptr || lock->kind != Kind::Lock) return fail_no_such(call, *asked.as_string());
            locks.push_back(lock);
        }
    } else {
        for (const auto* one : broker.coordinator().all()) {
            if (one->kind == Kind::Lock && may_know(one->name, uid)) locks.push_back(one);
        }
    }
    json::Writer writer;
    writer.begin_object().key("locks").begin_array();
    for (const auto* lock : locks) write_lock(writer, broker, *lock, uid);
    call.reply(writer.end_array().end_object().text());
}

void break_lock(Broker& broker, PendingCall call) {
    const auto full = name_in(call);
    if (!full) return;
    if (!broker.coordinator().take_away(*full, broker.now()))
        return fail_no_such(call, own_name(*full, call.peer().uid));
    call.reply();
}

}  // namespace

varlink::Interface lock_interface(Broker& broker) {
    varlink::Interface interface {
        "io.procsupd.Lock", std::string(kLockText), {}
    };
    interface.methods["Acquire"] = [&broker](PendingCall call) { acquire(broker, std::move(call)); };
    interface.methods["Release"] = [&broker](PendingCall call) { release(broker, std::move(call)); };
    interface.methods["List"] = [&broker](PendingCall call) { list(broker, std::move(call)); };
    interface.methods["Break"] = [&broker](PendingCall call) { break_lock(broker, std::move(call)); };
    return interface;
}

void answer(Broker& broker, PendingCall& call, const std::string& full, const Settled& settled) {
    const std::string name(own_name(full, call.peer().uid));
    switch (settled.what) {
        case Settled::What::Granted: return reply(call, settled.grant);
        case Settled::What::Deadlock: return fail_deadlock(broker, call, name, settled.knot);
        case Settled::What::TimedOut: {
            const auto* lock = broker.coordinator().find(full);
            return fail(call, "TimedOut", name,
                        "'" + name + "' was not to be had in time: it is held by " +
                            (lock != nullptr ? holders_text(broker, *lock) : "others"));
        }
        case Settled::What::Gone: return fail_no_such(call, name);
        case Settled::What::Ended:
            return fail_no_such_process(call, call.parameters().int_or("pid", 0), "it has ended");
    }
}

}  // namespace procsup::broker
