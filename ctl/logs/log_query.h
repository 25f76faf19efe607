#pragma once

#include <cstdint>
#include <optional>

#include "ctl/command_line.h"
#include "ctl/logs/print.h"

namespace procsup::ctl {

/// What `logs` was asked for, understood.
struct LogQuery {
    std::int64_t since = INT64_MIN;
    std::int64_t until = INT64_MAX;
    std::optional<Grep> grep;
    std::optional<std::uint64_t> lines;
    std::optional<std::uint64_t> run;  ///< how many have begun after it
    LogOutput output = LogOutput::Short;
    bool follow = false;

    /// The Error is one of usage.
    static Result<LogQuery> of(const CommandLine& line, std::int64_t now_usec);
    Wanted wanted() const { return {since, until, grep ? &*grep : nullptr}; }
};

}  // namespace procsup::ctl
