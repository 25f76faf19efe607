// What of the file system a job can change, and whether the rest of its settings goes with that.
#include <algorithm>
#include <string>

#include "conf/job_resolver.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"
#include "conf/sandbox_paths.h"

namespace procsup {
namespace {

/// PATH_MAX, with its NUL.
constexpr std::size_t kLongestPath = 4096;

/// Why paths like `path` cannot be compared with others; empty when they can.
std::string path_fault(std::string_view path) {
    if (!path.starts_with('/')) return "must have absolute paths, not " + quoted(path);
    if (path.size() >= kLongestPath) return "has a path of more than 4095 bytes";
    for (auto rest = path.substr(1); !rest.empty();) {
        const auto part = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        if (part.empty() || part == "." || part == "..") {
            return "must have paths without \".\", \"..\" and \"//\", not " + quoted(path);
        }
    }
    return {};
}

}  // namespace

void JobResolver::resolve_sandbox(Job& job) {
    job.spec.sandbox.paths.clear();
    add_sandbox_paths(job, Key::ReadOnlyPaths, job.draft.read_only_paths);
    if (job.spec.sandbox.has_read_only()) add_sandbox_paths(job, Key::ReadWritePaths, job.draft.read_write_paths);
    if (job.spec.sandbox.private_tmp) check_against_private_tmp(job);
}

void JobResolver::add_sandbox_paths(Job& job, Key key, const std::vector<PlacedText>& written) {
    const bool read_only = key == Key::ReadOnlyPaths;
    const std::string label = read_only ? "'sandbox.read_only_paths' " : "'sandbox.read_write_paths' ";
    auto& paths = job.spec.sandbox.paths;
    for (const auto& entry : written) {
        SandboxPath path;
        path.read_only = read_only;
        path.may_be_absent = entry.text.starts_with('-');
        path.path = prepare(job, {entry.text.substr(path.may_be_absent ? 1 : 0), entry.place});
        while (path.path.size() > 1 && path.path.ends_with('/')) path.path.pop_back();
        std::string fault;
        bool in_tmp = false;
        for (const auto& value : values_of(job, path.path)) {
            if (fault.empty()) fault = path_fault(value);
            in_tmp = in_tmp || is_in_tmp(value);
        }
        const auto same =
            std::find_if(paths.begin(), paths.end(), [&](const auto& other) { return other.path == path.path; });
        if (fault.empty() && same != paths.end() && same->read_only != read_only) {
            fault = "has " + quoted(path.path) + ", which 'sandbox.read_only_paths' has too";
        }
        // What [defaults] say need not have an effect on every job, nor what an overlay has made useless.
        const bool without = job.spec.sandbox.private_tmp && in_tmp;
        if (fault.empty() && without && job.draft.own(key) && !job.draft.outranks(Key::PrivateTmp, key)) {
            fault = "has " + quoted(path.path) +
                    ", in whose place the job has an empty directory of its own: "
                    "'sandbox.private_tmp' is true";
        }
        if (!fault.empty()) {
            problems_.add(entry.place, label + fault);
        } else if (!without && same == paths.end()) {
            paths.push_back(std::move(path));
        }
    }
}

/// What a job needs to run is not in the empty directory that it sees.
void JobResolver::check_against_private_tmp(Job& job) {
    const auto check = [&](Key key, const std::string& what, const std::string& text) {
        const auto values = values_of(job, text);
        const auto hidden =
            std::find_if(values.begin(), values.end(), [](const auto& path) { return is_in_tmp(path); });
        if (hidden == values.end()) return;
        problems_.add(job.key_place(job.draft.written(key) ? key : Key::PrivateTmp),
                      what + " " + quoted(*hidden) +
                          " cannot be seen by the job: with 'sandbox.private_tmp' it has an empty /tmp and /var/tmp; "
                          "move it elsewhere");
    };
    check(Key::WorkingDir, "'working_dir'", job.spec.working_dir);
    check(Key::Command, "the program", job.spec.program);
    check(Key::StopCommand, "the program of 'stop_command'", job.spec.stop_command.program);
    check(Key::ReloadCommand, "the program of 'reload_command'", job.spec.reload_command.program);
    for (const auto& [hook, command] : job.spec.hooks) {
        check(key_of(hook), "the program of '" + std::string(word_of(hook)) + "'", command.program);
    }
    const auto check_stream = [&](Key key, const char* what, const Stream& stream) {
        if (stream.kind == Stream::Kind::File) check(key, what, stream.path);
    };
    check_stream(Key::LogStdin, "'log.stdin'", job.spec.stdin_stream);
    check_stream(Key::LogStdout, "'log.stdout'", job.spec.stdout_stream);
    check_stream(Key::LogStderr, "'log.stderr'", job.spec.stderr_stream);
}

}  // namespace procsup
