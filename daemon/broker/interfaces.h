#pragma once

#include "common/varlink/server.h"

namespace procsup::broker {

class Broker;

varlink::Interface lock_interface(Broker& broker);
varlink::Interface semaphore_interface(Broker& broker);
varlink::Interface event_interface(Broker& broker);
varlink::Interface value_interface(Broker& broker);

}  // namespace procsup::broker
