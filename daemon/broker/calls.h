#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "common/varlink/server.h"
#include "daemon/broker/core/coordinator.h"

/// What the interfaces of the broker have in common: reading calls, and telling what became of them.
namespace procsup::broker {

class Broker;

/// One kind of what is coordinated, as its interface speaks of it.
struct Subject {
    Kind kind = Kind::Lock;
    std::string_view interface;
    std::string_view word;      ///< "lock"
    std::string_view no_such;   ///< the error for one that is not there
    std::string_view maker;     ///< hint for one that is not there
    std::string_view too_many;  ///< hint for an account that has too many of its names
    void (*granted)(varlink::PendingCall& call, const Grant& grant);
};

/// The full name in the call; reports what is wrong with it.
std::optional<std::string> name_in(const Subject& subject, varlink::PendingCall& call);
/// Whom it is for: `owner` and `pid`; reports why there is nobody.
std::optional<Owner> owner_in(Broker& broker, const Subject& subject, varlink::PendingCall& call);
/// A number above 0 that the call may leave out: 1; reports what is none.
std::optional<std::uint32_t> count_in(varlink::PendingCall& call, std::string_view parameter);

/// Asks for it and answers the call, perhaps later. Sets what all interfaces have: account, owner, and for how long it waits; `request`
/// has the name and the rest.
void acquire(Broker& broker, const Subject& subject, varlink::PendingCall call, Request request);
/// Answers a call that has waited.
void answer(Broker& broker, const Subject& subject, varlink::PendingCall& call, const std::string& full,
            const Settled& settled);

void fail(const Subject& subject, varlink::PendingCall& call, std::string_view error, std::string_view name,
          const std::string& message, std::string_view hint = {});
void fail_too_many_names(const Subject& subject, varlink::PendingCall& call, const std::string& full);
void fail_no_such(const Subject& subject, varlink::PendingCall& call, std::string_view name);

/// All that the caller may know of, or those that the call names, of which null ones are not there (the names are in `asked`).
std::vector<const Resource*> things_in(Broker& broker, const Subject& subject, const varlink::PendingCall& call,
                                       std::vector<std::string>& asked);
/// The members that every claim has; the object stays open.
void write_claim(json::Writer& writer, Broker& broker, Owner owner, TimePoint since);

}  // namespace procsup::broker
