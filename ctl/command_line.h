#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "ctl/output.h"
#include "ctl/verb.h"

namespace procsup::ctl {

/// Of `logs`, as it was given; empty: it was not.
struct LogsOptions {
    std::optional<std::uint64_t> lines, run;
    std::string_view since, until, stream, grep, output;
};

/// What the words of a command line say, checked against the table of verbs. Views point into the words.
struct CommandLine {
    const Verb* verb = nullptr;
    bool json = false;
    bool quiet = false;
    bool user = false;
    bool no_wait = false;
    bool all = false;
    bool follow = false;
    bool detach = false;
    bool daemon = false;
    bool here = false;
    bool cascade = false;
    bool critical = false;
    bool dot = false;
    bool dry_run = false;
    bool no_restart = false;
    bool rolling = false;
    bool once = false;
    bool try_only = false;
    bool shared = false;
    std::int64_t pid = 0;                  ///< of --pid; 0: not given
    std::optional<std::uint32_t> permits;  ///< that a semaphore is made with
    std::uint32_t permit_count = 1;
    std::uint32_t at = 0;  ///< which number of a value
    bool at_given = false;
    std::string_view number_type;  ///< of a value; empty: not given
    Duration delay = std::chrono::seconds(1);
    std::int64_t bind = 0;  ///< pid; 0: not given
    bool help = false;
    ColorChoice color = ColorChoice::Auto;
    std::string_view socket;
    std::string_view wait_for = "ready";
    std::string_view name;
    LogsOptions logs;
    std::optional<Duration> timeout;  ///< absent: wait for ever
    std::uint32_t count = 0;          ///< of scale
    std::vector<std::string_view> operands;
    std::vector<std::string_view> command;  ///< of run and exec
};

/// Reads the words behind the program's name. Options may stand before and behind the verb; what follows `--`,
/// or the first word that can only be a command, is taken verbatim. The Error is a usage error (exit 2).
Result<CommandLine> parse_command_line(std::span<const std::string_view> words);

}  // namespace procsup::ctl
