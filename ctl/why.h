#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/json.h"
#include "common/units.h"
#include "ctl/ended_run.h"
#include "ctl/output.h"

/// Making sense of an instance's past. Pure.
namespace procsup::ctl {

/// One line of the past, newest first: an end of a run, or another change.
struct PastEvent {
    std::int64_t time_usec = 0;
    std::string text;             ///< "exit 78 after 0.2s", "stopped: stop asked by uid 0"
    std::size_t repeated = 0;     ///< how many older ones of the same kind it stands for
    std::optional<EndedRun> run;  ///< that ended with it
};

/// Condenses a reply of Job.Why: runs that ended the same way become one line, starts that led to an end none.
std::vector<PastEvent> past_events(const json::Value& reply);

/// The part of that which the present run has written last; empty: nothing, or that says nothing of its state.
std::string newest_lines_text(const json::Value& reply, const std::string& indent);

/// What `procsupctl why` prints.
std::string why_text(const json::Value& reply, const Output& out);

}  // namespace procsup::ctl
