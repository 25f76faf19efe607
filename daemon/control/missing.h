#pragma once

#include <string>

#include "daemon/control/waiters.h"
#include "daemon/engine/instance.h"

namespace procsup {

/// "1min 25s", "0s": until `due`.
std::string rest_text(TimePoint due, TimePoint now);

/// What has to come about before `goal` is reached by an instance that is not there yet, for people: "waits for db to be ready". Empty:
/// its state says all there is to say.
std::string missing(Goal goal, const Instance& instance, TimePoint now);

}  // namespace procsup
