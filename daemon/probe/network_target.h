#pragma once

#include "daemon/probe/attempt.h"
#include "daemon/probe/command_line.h"

namespace procsup::probe {

/// tcp, http and unix: there is who accepts the connection, and with http answers well.
Verdict try_network(const CommandLine& line, Attempt& attempt);

/// file: it exists.
Verdict try_file(const CommandLine& line, Attempt& attempt);

}  // namespace procsup::probe
