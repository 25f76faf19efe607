#pragma once

#include <string>
#include <string_view>

#include "daemon/engine/ports.h"

namespace procsup {

/// What a datagram to a notification socket says: lines of NAME=VALUE (sd_notify(3)). Names that mean nothing here, and values
/// that cannot be, are passed over, and a MAINPID that is none is told as `refused`; the status is a line_for_people().
Notice parse_notice(std::string_view datagram);

/// `text`, which anybody may have sent, as one line that can be shown: cut at 256 bytes, not within a character, and without what
/// moves a terminal's cursor.
std::string line_for_people(std::string_view text);

}  // namespace procsup
