#include "conf/job_resolver.h"

#include <utility>

#include "conf/expand.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

std::string_view parent_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

JobSpec JobResolver::resolve(const JobDraft& draft) {
    Job job{draft, draft.spec, {}, {}, {}, 0, false};
    job.spec.name = draft.name;
    job.spec.origin = draft.place.file->name + ":" + std::to_string(std::max(draft.place.at.line, 1u));
    job.scope = {draft.name, job.spec.instances.empty(), job.spec.port_base, &surroundings_};
    job.first = {draft.name, draft.name, 0, job.spec.port_base};
    if (!job.spec.instances.empty()) job.first.instance += "@" + job.spec.instances[0];
    check_settings(draft, problems_);
    resolve_user(job);
    resolve_owner(job);
    resolve_environment(job);
    resolve_working_dir(job);
    resolve_command(job);
    resolve_stream(job, Key::LogStdin, job.spec.stdin_stream);
    resolve_stream(job, Key::LogStdout, job.spec.stdout_stream);
    resolve_stream(job, Key::LogStderr, job.spec.stderr_stream);
    check_port(job);
    return std::move(job.spec);
}

std::string JobResolver::prepare(Job& job, const PlacedText& text) {
    auto prepared = prepare_text(text.text, job.scope);
    if (!prepared) {
        problems_.add(text.place, prepared.error().message);
        // Whether the port is used cannot be said of a text that is wrong.
        job.uses_port = true;
        return text.text;
    }
    job.uses_port = job.uses_port || prepared->uses_port;
    return std::move(prepared->text);
}

std::vector<std::string> JobResolver::values_of(const Job& job, const std::string& prepared) const {
    const std::string first = expand_job(prepared, job.first);
    InstanceName other = job.first;
    other.instance += '+';
    other.index = 1;
    if (other.port) ++*other.port;
    std::vector<std::string> values{first};
    if (job.spec.instances.size() < 2 || expand_job(prepared, other) == first) return values;
    values.clear();
    for (const auto& name : instance_names(job.spec)) values.push_back(expand_job(prepared, name));
    return values;
}

void JobResolver::resolve_command(Job& job) {
    const auto& draft = job.draft;
    // A job's own command takes the place of a shell in [defaults], and the other way round.
    const bool both = draft.written(Key::Command) && draft.written(Key::Shell);
    const bool use_shell = both ? draft.own(Key::Shell) && !draft.own(Key::Command) : draft.written(Key::Shell);
    if (both && draft.own(Key::Shell) == draft.own(Key::Command)) {
        problems_.add(job.key_place(Key::Shell), "'shell' and 'command' exclude each other: write one of them");
        return;
    }
    if (use_shell) {
        if (draft.shell.place.file == nullptr) return;  // reported when it was read
        job.spec.command = {"/bin/sh", "-c", prepare(job, draft.shell)};
        job.spec.program = "/bin/sh";
        return;
    }
    if (!draft.written(Key::Command)) {
        problems_.add(draft.place, "job " + quoted(draft.name) + " needs 'command' or 'shell'");
        return;
    }
    for (const auto& word : draft.command) job.spec.command.push_back(prepare(job, word));
    if (!job.spec.command.empty() && !job.spec.command[0].empty()) resolve_program(job);
}

void JobResolver::resolve_program(Job& job) {
    const auto& written = job.spec.command[0];
    const std::string name = expand_job(written, job.first);
    if (name.empty()) {
        problems_.add(job.draft.command[0].place, "'command' must name a program");
    } else if (name[0] == '/') {
        // Not looked at: it may be put there later, and a start that fails says why.
        job.spec.program = written;
    } else if (name.find('/') != std::string::npos) {
        job.spec.program = (job.spec.working_dir == "/" ? "" : job.spec.working_dir) + "/" + written;
    } else if (values_of(job, written).size() == 1) {
        find_program(job, name);
    }
}

void JobResolver::find_program(Job& job, const std::string& name) {
    const std::string path = expand_job(environment_value(job.spec.env, "PATH"), job.first);
    std::string_view rest = path;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string folder(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        // An entry that depends on a working directory would find another program each time.
        if (!folder.starts_with('/')) continue;
        std::string program = folder + (folder.ends_with('/') ? "" : "/") + name;
        if (!surroundings_.is_program(program)) continue;
        job.spec.program = protect(program);
        return;
    }
    std::string message = "cannot find program " + quoted(name) + " in PATH=" + path;
    if (name.find(' ') != std::string::npos) message += ": write each argument as an element of its own";
    problems_.add(job.draft.command[0].place, std::move(message));
}

void JobResolver::check_directory(const Place& place, std::string_view key, const std::string& path) {
    if (path.empty() || path[0] != '/') {
        problems_.add(place, "'" + std::string(key) + "' must be an absolute path, not " + quoted(path));
        return;
    }
    const std::string folder(key == "working_dir" ? std::string_view(path) : parent_of(path));
    if (const auto fault = surroundings_.directory_fault(folder)) {
        problems_.add(place, "'" + std::string(key) + "': cannot use directory " + quoted(folder) + ": " + *fault);
    }
}

void JobResolver::resolve_working_dir(Job& job) {
    const auto& written = job.draft.working_dir;
    if (written.place.file == nullptr) {
        job.spec.working_dir = protect(job.draft.home_folder);
        return;
    }
    job.spec.working_dir = prepare(job, written);
    for (const auto& path : values_of(job, job.spec.working_dir)) check_directory(written.place, "working_dir", path);
}

void JobResolver::resolve_stream(Job& job, Key key, Stream& stream) {
    if (stream.kind != Stream::Kind::File) return;
    const Place place = job.key_place(key);
    const std::string name(key == Key::LogStdin ? "log.stdin" : key == Key::LogStdout ? "log.stdout" : "log.stderr");
    stream.path = prepare(job, {stream.path, place});
    for (const auto& path : values_of(job, stream.path)) {
        if (path.ends_with('/')) {
            problems_.add(place, "'" + name + "' must name a file, not the directory " + quoted(path));
        } else {
            check_directory(place, name, path);
        }
    }
}

void JobResolver::check_port(Job& job) {
    if (!job.spec.port_base) return;
    const auto place = job.key_place(Key::PortBase);
    const auto count = static_cast<int>(std::max<std::size_t>(job.spec.instances.size(), 1));
    if (*job.spec.port_base + count - 1 > 65535) {
        problems_.add(place, "'port_base' is too high: the last of " + std::to_string(count) +
                                 " instances would have port " + std::to_string(*job.spec.port_base + count - 1));
    }
    if (job.draft.own(Key::PortBase) && !job.uses_port) {
        problems_.add(place, "'port_base' never takes effect: ${job:port} is used nowhere");
    }
}

}  // namespace procsup
