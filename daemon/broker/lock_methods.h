#pragma once

#include <string>

#include "common/varlink/server.h"
#include "daemon/broker/core/claim.h"

namespace procsup::broker {

class Broker;

/// io.procsupd.Lock.
varlink::Interface lock_interface(Broker& broker);

/// Answers a call of Acquire that has waited.
void answer(Broker& broker, varlink::PendingCall& call, const std::string& name, const Settled& settled);

}  // namespace procsup::broker
