#include "daemon/broker/calls.h"

#include <cerrno>
#include <utility>

#include "common/units.h"
#include "daemon/broker/broker.h"
#include "daemon/broker/names.h"

namespace procsup::broker {
namespace {

using varlink::PendingCall;

std::string error_name(const Subject& subject, std::string_view error) {
    return std::string(subject.interface) + "." + std::string(error);
}

void fail_no_such_process(const Subject& subject, PendingCall& call, std::int64_t pid, const std::string& message) {
    json::Writer writer;
    writer.begin_object().member_int("pid", pid).member("message", message).end_object();
    call.fail_with(error_name(subject, "NoSuchProcess"), writer.text());
}

std::string_view word_of(Kind kind) {
    switch (kind) {
        case Kind::Lock: return "lock";
        case Kind::Semaphore: return "semaphore";
        case Kind::Event: return "event";
        case Kind::Value: return "value";
    }
    return "";
}

// ---- who

std::string who(Broker& broker, Owner owner) {
    const auto& facts = broker.sessions().facts(owner.session);
    std::string text = facts.pid == 0 ? "a process of another container" : "pid " + std::to_string(facts.pid);
    if (owner.thread != 0) text += ", owner " + std::to_string(owner.thread);
    return text;
}

/// Those who have it.
std::string holders_text(Broker& broker, const Subject& subject, const std::string& full) {
    constexpr std::size_t kMost = 3;
    const auto* resource = broker.coordinator().find(subject.kind, full);
    std::string text;
    std::size_t count = 0;
    if (resource != nullptr) {
        for (const auto& [owner, holding] : resource->holders) {
            if (count++ < kMost) text += (text.empty() ? "" : "; ") + who(broker, owner);
        }
    }
    if (count > kMost) text += "; and " + std::to_string(count - kMost) + " more";
    return text.empty() ? "others who wait for it" : text;
}

/// Why it was not had, at once or in time.
std::string lack_text(Broker& broker, const Subject& subject, const std::string& name, const std::string& full,
                      bool in_time) {
    const auto quoted = "'" + name + "'";
    if (subject.kind == Kind::Value) return quoted + (in_time ? " was not changed in time" : " has not changed");
    if (subject.kind == Kind::Event) return quoted + (in_time ? " was not set in time" : " is not set");
    return quoted + (in_time ? " was not to be had in time: it is held by " : " is held by ") +
           holders_text(broker, subject, full);
}

// ---- what is refused

void fail_deadlock(Broker& broker, const Subject& subject, PendingCall& call, const std::string& name,
                   const std::vector<KnotStep>& knot) {
    const auto uid = call.peer().uid;
    std::string text;
    json::Writer writer;
    writer.begin_object().member("name", name).key("cycle").begin_array();
    for (const auto& step : knot) {
        const std::string resource(own_name(step.resource, uid));
        const auto kind = word_of(step.kind);
        writer.begin_object().member("waiter", who(broker, step.waiter)).member("kind", kind).member("name", resource);
        writer.key("holders").begin_array();
        std::string holders;
        for (const auto& holder : step.holders) {
            writer.string(who(broker, holder));
            holders += (holders.empty() ? "" : " and ") + who(broker, holder);
        }
        writer.end_array().end_object();
        text += (text.empty() ? "" : "; ") + who(broker, step.waiter) + " waits for " + std::string(kind) + " " +
                resource + ", which " + holders + (step.holders.size() == 1 ? " has" : " have");
    }
    writer.end_array().member("message", "to wait for '" + name + "' would never end: " + text);
    writer.member("hint", "acquire several in the same order everywhere, or release one before the next");
    call.fail_with(error_name(subject, "Deadlock"), writer.end_object().text());
}

void fail_refused(Broker& broker, const Subject& subject, PendingCall& call, const std::string& full,
                  const Refusal& refusal) {
    const std::string name(own_name(full, call.peer().uid));
    const auto quoted = "'" + name + "'";
    switch (refusal.why) {
        case Refusal::Why::AlreadyHeld:
            return fail(subject, call, "AlreadyHeld", name, quoted + " is held, or waited for, by who asks for it",
                        "ask with reentrant = true to have it several times; what is shared has to be released before");
        case Refusal::Why::Busy:
            return fail(subject, call, "Busy", name, lack_text(broker, subject, name, full, false));
        case Refusal::Why::Deadlock: return fail_deadlock(broker, subject, call, name, refusal.knot);
        case Refusal::Why::TooManyNames: return fail_too_many_names(subject, call, full);
        case Refusal::Why::TooMany: {
            const auto* resource = broker.coordinator().find(subject.kind, full);
            const auto total = resource != nullptr ? resource->total : 0;
            return fail(subject, call, "TooMany", name, quoted + " has " + std::to_string(total) + " in all");
        }
        case Refusal::Why::Waits: return call.fail_invalid_parameter("owner");
        case Refusal::Why::Unknown: return fail_no_such(subject, call, name);
    }
}

}  // namespace

void fail(const Subject& subject, PendingCall& call, std::string_view error, std::string_view name,
          const std::string& message, std::string_view hint) {
    json::Writer writer;
    writer.begin_object().member("name", name).member("message", message);
    if (!hint.empty()) writer.member("hint", hint);
    call.fail_with(error_name(subject, error), writer.end_object().text());
}

void fail_too_many_names(const Subject& subject, PendingCall& call, const std::string& full) {
    fail(subject, call, "TooMany", own_name(full, call.peer().uid),
         "this user has too many locks, semaphores, events and values", subject.too_many);
}

void fail_no_such(const Subject& subject, PendingCall& call, std::string_view name) {
    const auto what = std::string(subject.word) + " '" + std::string(name) + "'";
    if (subject.kind == Kind::Lock)
        return fail(subject, call, subject.no_such, name, "nobody holds a " + what + " or waits for it");
    fail(subject, call, subject.no_such, name, "there is no " + what, subject.maker);
}

// ---- what a call says

std::optional<std::string> name_in(const Subject& subject, PendingCall& call) {
    auto name = full_name(call.parameters().string_or("name", ""), call.peer().uid);
    if (name) return std::move(*name);
    if (name.error().os_error == EACCES) {
        call.fail(error_name(subject, "PermissionDenied"), name.error().message);
        return std::nullopt;
    }
    json::Writer writer;
    writer.begin_object().member("parameter", "name").member("message", name.error().message).end_object();
    call.fail_with("org.varlink.service.InvalidParameter", writer.text());
    return std::nullopt;
}

std::optional<Owner> owner_in(Broker& broker, const Subject& subject, PendingCall& call) {
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
        fail_no_such_process(subject, call, pid, error.message);
    } else {
        call.fail(error_name(subject, error.os_error == EPERM ? "PermissionDenied" : "TooMany"), error.message);
    }
    return std::nullopt;
}

std::optional<std::uint32_t> count_in(PendingCall& call, std::string_view parameter) {
    const auto count = call.parameters().int_or(parameter, 1);
    if (count > 0 && count <= kMostPermits) return static_cast<std::uint32_t>(count);
    call.fail_invalid_parameter(parameter);
    return std::nullopt;
}

// ---- waiting

void acquire(Broker& broker, const Subject& subject, PendingCall call, Request request) {
    const auto& asked = call.parameters();
    const auto timeout = asked.int_or("timeoutUSec", 0);
    if (timeout < 0) return call.fail_invalid_parameter("timeoutUSec");
    const auto owner = owner_in(broker, subject, call);
    if (!owner) return;
    const std::string name(request.name);
    request.kind = subject.kind;
    request.account = call.peer().uid;
    request.owner = *owner;
    request.waits = !asked.bool_or("try", false);
    const auto now = broker.now();
    // Longer than any machine runs is for ever.
    const bool ends = asked.find("timeoutUSec") != nullptr && Duration(timeout) < TimePoint::max() - now;
    if (ends) request.deadline = now + Duration(timeout);
    const auto answer = broker.coordinator().acquire(request, now);
    if (const auto* grant = std::get_if<Grant>(&answer)) return subject.granted(call, *grant);
    if (const auto* refusal = std::get_if<Refusal>(&answer)) return fail_refused(broker, subject, call, name, *refusal);
    broker.answer_later(std::get<Queued>(answer).wait, std::move(call), name, subject);
}

void answer(Broker& broker, const Subject& subject, PendingCall& call, const std::string& full,
            const Settled& settled) {
    const std::string name(own_name(full, call.peer().uid));
    switch (settled.what) {
        case Settled::What::Granted: return subject.granted(call, settled.grant);
        case Settled::What::Deadlock: return fail_deadlock(broker, subject, call, name, settled.knot);
        case Settled::What::TimedOut:
            return fail(subject, call, "TimedOut", name, lack_text(broker, subject, name, full, true));
        case Settled::What::Gone: return fail_no_such(subject, call, name);
        case Settled::What::Ended:
            return fail_no_such_process(subject, call, call.parameters().int_or("pid", 0), "it has ended");
    }
}

// ---- what is there

std::vector<const Resource*> things_in(Broker& broker, const Subject& subject, const PendingCall& call,
                                       std::vector<std::string>& asked) {
    const auto uid = call.peer().uid;
    std::vector<const Resource*> things;
    if (const auto* names = call.parameters().find("names")) {
        for (const auto& name : *names->as_array()) {
            const auto full = full_name(*name.as_string(), uid);
            things.push_back(full ? broker.coordinator().find(subject.kind, *full) : nullptr);
            asked.emplace_back(*name.as_string());
        }
        return things;
    }
    for (const auto* one : broker.coordinator().all(subject.kind)) {
        if (!may_know(one->name, uid)) continue;
        things.push_back(one);
        asked.emplace_back(own_name(one->name, uid));
    }
    return things;
}

void write_claim(json::Writer& writer, Broker& broker, Owner owner, TimePoint since) {
    const auto& facts = broker.sessions().facts(owner.session);
    writer.begin_object().member_int("pid", facts.pid).member_int("uid", facts.uid);
    writer.member_bool("process", facts.process);
    if (owner.thread != 0) writer.member_int("owner", static_cast<std::int64_t>(owner.thread));
    writer.member_int("forUSec", (broker.now() - since).count());
}

}  // namespace procsup::broker
