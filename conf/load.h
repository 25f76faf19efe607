#pragma once

#include <string>
#include <variant>
#include <vector>

#include "conf/job_spec.h"

namespace procsup {

struct Abilities;

/// One thing that is wrong in a configuration, at its place.
struct Problem {
    std::string file;
    std::uint32_t line = 0;    ///< from 1; 0: the file as a whole
    std::uint32_t column = 0;  ///< in bytes from 1
    std::string message;       ///< "unknown key 'restrat' (did you mean 'restart'?)"
    bool warning = false;      ///< does not keep the configuration from being used; only of check_configuration()
};

/// "jobs.d/web.toml:3:1: error: unknown key …"
std::string to_text(const Problem& problem);

/// Where a configuration is: a project file, or directories with job files, each of which stands over those behind it.
struct ConfigPaths {
    std::vector<std::string> paths;  ///< at least one
    bool may_be_absent = false;      ///< those that are not there are passed over, where one of them has a file

    ConfigPaths() = default;
    ConfigPaths(std::string path) : paths{std::move(path)} {}
    ConfigPaths(std::vector<std::string> several, bool absent) : paths(std::move(several)), may_be_absent(absent) {}

    /// For people.
    std::string text() const;
    /// Where job files are looked for, for people: "/etc/procsupd/jobs.d (which is not there), /usr/lib/procsupd". Empty: in no directory.
    std::string searched() const;
};

/// What reading starts from, besides the files.
struct LoadOptions {
    ConfigPaths config;
    DaemonPlaces places;
    bool as_root = false;  ///< files writable by others than root are refused
};

/// Reads, checks and resolves everything at `options.config`. Either a complete configuration, or *all* problems
/// found (at most 1,000 are kept). May take long: it reads files and asks the name service. Only called in the
/// short-lived load process and by `check`.
std::variant<Configuration, std::vector<Problem>> load_configuration(const LoadOptions& options);

struct CheckResult {
    std::variant<Configuration, std::vector<Problem>> loaded;
    /// What a procsupd with the given abilities cannot enforce: warnings, and errors of jobs that are strict about it.
    std::vector<Problem> unenforceable;

    /// Whether every job can be started.
    bool good() const;
};
CheckResult check_configuration(const LoadOptions& options, const Abilities& abilities);

// The configuration or the problems as lines of JSON (the daemon's settings, then a job a line), for the pipe between
// the load process and the daemon.
std::string encode_load_result(const std::variant<Configuration, std::vector<Problem>>& result);
Result<std::variant<Configuration, std::vector<Problem>>> decode_load_result(std::string_view text);

}  // namespace procsup
