// What is laid out for a job before it runs: where it comes from, and where it is put.
#include <algorithm>
#include <string>

#include "conf/job_resolver.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kLongestElement = 255;

constexpr std::string_view kKeys[] = {"runtime_dirs", "state_dirs", "log_dirs"};

/// Why `name` cannot be made below a directory of the system; empty when it can.
std::string dir_name_fault(std::string_view name) {
    if (name.empty()) return "must not have an empty name";
    if (name.front() == '/') return "must have names below a directory of the system, not the path " + quoted(name);
    if (name.back() == '/') return "must have names that do not end with '/', not " + quoted(name);
    if (name.size() > kLongestName) return "has a name of more than 1024 bytes";
    // RUNTIME_DIRECTORY and its like have colons between paths.
    if (name.find(':') != std::string_view::npos) return "cannot have " + quoted(name) + ": a name has no ':' in it";
    if (name.substr(0, name.find('/')) == "procsupd")
        return "cannot have " + quoted(name) + ", which is procsupd's own";
    while (!name.empty()) {
        const auto element = name.substr(0, name.find('/'));
        name.remove_prefix(std::min(element.size() + 1, name.size()));
        if (element.empty() || element == "." || element == "..") {
            return "cannot have \".\", \"..\" or nothing between the slashes of a name";
        }
        if (element.size() > kLongestElement) return "has a part of a name of more than 255 bytes";
        if (std::any_of(element.begin(), element.end(), [](char c) { return c >= 0 && (c < 0x20 || c == 0x7F); })) {
            return "cannot have control characters in a name";
        }
    }
    return {};
}

struct Base {
    std::string path;   ///< empty: there is none
    std::string fault;  ///< why
};

/// Where systemd has them too, for the system and for a user.
Base base_of(JobDir::Kind kind, const Surroundings& surroundings) {
    constexpr const char* kSystem[] = {"/run", "/var/lib", "/var/log"};
    if (surroundings.own_uid() == 0) return {kSystem[static_cast<std::size_t>(kind)], {}};
    const auto absolute = [&](const char* name) {
        const auto value = surroundings.variable(name);
        return value && value->starts_with('/') && value->size() > 1 ? *value : std::string();
    };
    if (kind == JobDir::Kind::Runtime) {
        return {absolute("XDG_RUNTIME_DIR"),
                "$XDG_RUNTIME_DIR, which is not set to a path where the configuration is read"};
    }
    auto state = absolute("XDG_STATE_HOME");
    if (state.empty() && !absolute("HOME").empty()) state = absolute("HOME") + "/.local/state";
    if (state.empty())
        return {{}, "$XDG_STATE_HOME or $HOME, which are not set to paths where the configuration is read"};
    return {kind == JobDir::Kind::Log ? state + "/log" : state, {}};
}

}  // namespace

void JobResolver::resolve_credentials(Job& job) {
    for (const auto& [name, source] : job.draft.credentials) {
        Credential credential{name, prepare(job, source)};
        // Whether it is there is no question here: it may be put there later, and a start that fails says why.
        for (const auto& path : values_of(job, credential.path)) {
            if (!path.starts_with('/')) {
                problems_.add(source.place, "'credentials." + name + "' must be an absolute path, not " + quoted(path));
            }
        }
        job.spec.credentials.push_back(std::move(credential));
    }
}

void JobResolver::resolve_dirs(Job& job) {
    add_dirs(job, JobDir::Kind::Runtime, job.draft.runtime_dirs);
    add_dirs(job, JobDir::Kind::State, job.draft.state_dirs);
    add_dirs(job, JobDir::Kind::Log, job.draft.log_dirs);
}

void JobResolver::add_dirs(Job& job, JobDir::Kind kind, const std::vector<PlacedText>& names) {
    if (names.empty()) return;
    const auto key = "'" + std::string(kKeys[static_cast<std::size_t>(kind)]) + "' ";
    const auto base = base_of(kind, surroundings_);
    if (base.path.empty()) {
        problems_.add(names.front().place, key + "needs " + base.fault);
        return;
    }
    for (const auto& name : names) {
        JobDir dir{kind, base.path, prepare(job, name)};
        for (const auto& value : values_of(job, dir.name)) {
            if (const auto fault = dir_name_fault(value); !fault.empty()) {
                problems_.add(name.place, key + fault);
                break;
            }
        }
        job.spec.dirs.push_back(std::move(dir));
    }
}

}  // namespace procsup
