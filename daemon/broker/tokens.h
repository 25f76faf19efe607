#pragma once

#include <string>

#include "common/result.h"
#include "daemon/broker/core/claim.h"

namespace procsup::broker {

/// Reserves fencing tokens for one broker in the directory `dir`: those behind the one that is returned were given by none before. It
/// is never behind the clock, which is what they grow by when the file is lost; and the file is what they grow by when the clock
/// is set back. Waits for the disk.
Result<Token> reserve_tokens(const std::string& dir);

/// By the clock alone (CLOCK_REALTIME in microseconds): nobody gives a million a second.
Token clock_token();

}  // namespace procsup::broker
