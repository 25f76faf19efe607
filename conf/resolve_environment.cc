#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "common/utf8.h"
#include "conf/env_file.h"
#include "conf/expand.h"
#include "conf/job_resolver.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kDefaultLang = "C.UTF-8";

/// The folder of an env file need not be known: nothing in it is a path.
SourceFile env_source(const std::string& path, const std::string& text) {
    const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
    return {path, {}, false, ascii ? std::string() : text};
}

/// As systemd.exec(5) has them; in the order of JobDir::Kind.
struct DirectoryVariable {
    Key key;
    const char* variable;
};
constexpr std::array kDirectoryVariables{DirectoryVariable{Key::RuntimeDirs, "RUNTIME_DIRECTORY"},
                                         DirectoryVariable{Key::StateDirs, "STATE_DIRECTORY"},
                                         DirectoryVariable{Key::LogDirs, "LOGS_DIRECTORY"}};
constexpr const char* kCredentialsVariable = "CREDENTIALS_DIRECTORY";

}  // namespace

void JobResolver::resolve_environment(Job& job) {
    std::map<std::string, std::string> env{{"LANG", kDefaultLang}, {"PATH", kDefaultPath}};
    add_user_variables(job, env);
    std::map<std::string, std::string> directories;
    add_directories(job, directories);
    env.insert(directories.begin(), directories.end());
    add_inherited(job, env);
    for (const auto& file : job.draft.env_files) add_env_file(job, file, env);
    for (const auto& [name, text] : job.draft.env) {
        env[name] = prepare_with_credentials(job, text);
        job.env_places[name] = text.place;
    }
    for (const auto& [key, variable] : kDirectoryVariables) {
        const auto own = directories.find(variable);
        if (own != directories.end() && env[variable] != own->second) refuse_variable(job, key, variable);
    }
    if (!job.spec.credentials.empty() && env.contains(kCredentialsVariable)) {
        refuse_variable(job, Key::Credentials, kCredentialsVariable);
    }
    if (job.draft.spec.readiness.kind == Readiness::Kind::Notify && env.contains("NOTIFY_SOCKET")) {
        refuse_variable(job, Key::ReadyNotify, "NOTIFY_SOCKET");
    }
    job.spec.env.reserve(env.size());
    for (const auto& [name, value] : env) job.spec.env.push_back(name + "=" + value);
}

void JobResolver::add_user_variables(Job& job, std::map<std::string, std::string>& env) {
    if (!job.entry) return;
    const auto set = [&](const char* name, const std::string& value) {
        if (value.empty() || !is_utf8(value)) return;
        env[name] = protect(value);
        job.env_places[name] = job.key_place(Key::User);
    };
    set("HOME", job.entry->home);
    set("USER", job.entry->name);
    set("LOGNAME", job.entry->name);
    set("SHELL", job.entry->shell);
}

void JobResolver::refuse_variable(const Job& job, Key key, const char* variable) {
    problems_.add(job.key_place(key), quoted(all_keys()[static_cast<std::size_t>(key)].name) + " needs the variable " +
                                          variable + ", which the job sets or inherits itself");
}

void JobResolver::add_directories(Job& job, std::map<std::string, std::string>& env) {
    for (const auto& dir : job.spec.dirs) {
        const auto& [key, variable] = kDirectoryVariables[static_cast<std::size_t>(dir.kind)];
        job.env_places[variable] = job.key_place(key);
        auto& paths = env[variable];
        paths += (paths.empty() ? "" : ":") + protect(dir.base) + "/" + dir.name;
    }
}

void JobResolver::add_inherited(Job& job, std::map<std::string, std::string>& env) {
    for (const auto& name : job.draft.inherit_env) {
        const auto value = surroundings_.variable(name);
        if (!value) continue;
        if (is_utf8(*value)) {
            env[name] = protect(*value);
            job.env_places[name] = job.key_place(Key::InheritEnv);
        } else {
            problems_.add(job.key_place(Key::InheritEnv), "the variable " + quoted(name) + " is not UTF-8");
        }
    }
}

void JobResolver::add_env_file(Job& job, const PlacedText& entry, std::map<std::string, std::string>& env) {
    const bool optional = entry.text.starts_with('-');
    const auto prepared = prepare(job, {entry.text.substr(optional ? 1 : 0), entry.place});
    const auto paths = values_of(job, prepared);
    if (paths.size() != 1) {
        problems_.add(entry.place, "'env_files' cannot differ between instances");
        return;
    }
    const auto& path = paths[0];
    if (!path.starts_with('/')) {
        problems_.add(entry.place, "'env_files' must have absolute paths, not " + quoted(path));
        return;
    }
    const auto text = surroundings_.small_file(path, job.uid);
    if (!text) {
        problems_.add(entry.place, text.error().message);
        return;
    }
    if (!*text) {
        if (!optional) {
            problems_.add(entry.place, "cannot read " + path + ": No such file or directory (write \"-" + path +
                                           "\" if it may be absent)");
        }
        return;
    }
    const auto parsed = parse_env_file(**text);
    if (const auto* settings = std::get_if<0>(&parsed)) {
        for (const auto& [name, value] : *settings) {
            env[name] = protect(value);
            job.env_places[name] = entry.place;
        }
        return;
    }
    const auto& source = env_sources_.emplace_back(env_source(path, **text));
    for (const auto& error : std::get<1>(parsed)) problems_.add({&source, error.position}, error.message);
}

}  // namespace procsup
