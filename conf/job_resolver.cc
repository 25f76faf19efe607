#include "conf/job_resolver.h"

#include <utility>

#include "conf/expand.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

/// What leaves room for the names of files in the longest path that the kernel takes (PATH_MAX).
constexpr std::size_t kLongestLogDir = 3800;

std::string_view parent_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// What [defaults] says of services is not in force for what ends by itself.
void leave_out_others_usual(JobSpec& spec) {
    if (!spec.ends_by_itself()) return;
    const JobSpec usual;
    spec.watchdog = usual.watchdog;
    spec.watchdog_signal = usual.watchdog_signal;
    spec.max_lifetime = usual.max_lifetime;
    spec.max_lifetime_variance = usual.max_lifetime_variance;
}

}  // namespace

JobSpec JobResolver::resolve(const JobDraft& draft, EnvPlaces& env_places) {
    Job job{draft, draft.spec, env_places, {}, {}, {}, 0, false};
    job.spec.name = draft.name;
    job.spec.origin = draft.place.file->name + ":" + std::to_string(std::max(draft.place.at.line, 1u));
    job.scope = {draft.name, job.spec.port_base, &surroundings_};
    job.first = {draft.name, draft.name, 0, job.spec.port_base};
    if (!job.spec.instances.empty()) job.first.instance += "@" + job.spec.instances[0];
    check_settings(draft, problems_);
    leave_out_others_usual(job.spec);
    resolve_user(job);
    resolve_owner(job);
    check_privileges(job);
    resolve_credentials(job);
    resolve_dirs(job);
    resolve_environment(job);
    resolve_working_dir(job);
    resolve_command(job);
    resolve_commands_beside(job);
    resolve_stream(job, Key::LogStdin, job.spec.stdin_stream);
    resolve_stream(job, Key::LogStdout, job.spec.stdout_stream);
    resolve_stream(job, Key::LogStderr, job.spec.stderr_stream);
    resolve_log_dir(job);
    resolve_readiness(job);
    resolve_health(job);
    resolve_schedule(job);
    resolve_sockets(job);
    resolve_sandbox(job);
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

std::string JobResolver::prepare_with_credentials(Job& job, const PlacedText& text) {
    std::vector<std::string_view> names;
    for (const auto& credential : job.spec.credentials) names.push_back(credential.name);
    job.scope.credentials = &names;
    auto prepared = prepare(job, text);
    job.scope.credentials = nullptr;
    return prepared;
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

void JobResolver::resolve_log_dir(Job& job) {
    const auto& written = job.draft.log_dir;
    if (written.place.file == nullptr) return;
    job.spec.log.dir = prepare(job, written);
    // It is made when something is written to it: whether it exists is no question here.
    for (const auto& path : values_of(job, job.spec.log.dir)) {
        if (path.empty() || path[0] != '/') {
            problems_.add(written.place, "'log.dir' must be an absolute path, not " + quoted(path));
        } else if (path.size() > kLongestLogDir) {
            problems_.add(written.place,
                          "'log.dir' is too long: more than " + std::to_string(kLongestLogDir) + " bytes");
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
    if (job.draft.own(Key::PortBase) && !job.draft.mark(Key::PortBase).excused && !job.uses_port) {
        problems_.add(place, "'port_base' never takes effect: ${job:port} is used nowhere");
    }
}

}  // namespace procsup
