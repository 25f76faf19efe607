#include "conf/configuration_reader.h"

#include <algorithm>
#include <utility>

#include "conf/enforcement.h"
#include "conf/key_places.h"
#include "conf/key_reader.h"
#include "conf/keys.h"
#include "conf/toml_doc.h"
#include "conf/toml_guard.h"

namespace procsup {
namespace {

constexpr std::size_t kMostJobs = 10000;
constexpr std::size_t kMostText = 4u << 20;
// What all jobs together may come to: less than the JSON reader at the other end of the pipe accepts.
constexpr std::size_t kMostValues = 1000000;
constexpr std::size_t kMostBytes = 64u << 20;
/// JSON values of a job besides the elements of its lists.
constexpr std::size_t kValuesOfJob = 73;

std::size_t bytes_of(const std::vector<std::string>& strings) {
    std::size_t bytes = 0;
    for (const auto& text : strings) bytes += text.size() + 4;
    return bytes;
}

std::size_t values_of(const Dependencies& dependencies) {
    return dependencies.after.size() + dependencies.before.size() + dependencies.wants.size() +
           4 * dependencies.requirements.size();
}

/// Of a job file: the job of a lower directory is not to be there.
bool is_mask(const TomlValue::Table& table) {
    if (table.size() != 1 || table.front().key != "enabled") return false;
    const auto* enabled = table.front().value.as<bool>();
    return enabled != nullptr && !*enabled;
}

}  // namespace

ConfigurationReader::ConfigurationReader(const Surroundings& surroundings, Problems& problems)
    : surroundings_(surroundings), problems_(problems), resolver_(surroundings, problems) {}

std::optional<ConfigurationReader::Document> ConfigurationReader::parse(const File& file, Text text) {
    const bool ascii = std::all_of(text.text.begin(), text.text.end(), [](char c) { return c >= 0; });
    auto& source = sources_.emplace_back(SourceFile{std::move(text.name), file.folder, file.kind != Kind::Job, {}});
    if (const auto fault = check_text(text.text)) {
        problems_.add({&source, fault->position}, fault->message);
        return std::nullopt;
    }
    auto parsed = parse_toml(text.text);
    if (!ascii) source.text = std::move(text.text);
    if (const auto* error = std::get_if<SyntaxError>(&parsed)) {
        problems_.add({&source, error->position}, error->message);
        return std::nullopt;
    }
    return Document{&source, std::move(std::get<TomlValue::Table>(parsed))};
}

void ConfigurationReader::read(File file) {
    std::size_t size = file.own.text.size();
    for (const auto& overlay : file.overlays) size += overlay.text.size();
    if (size > kMostText) {
        const auto& source = sources_.emplace_back(SourceFile{file.own.name, file.folder, false, {}});
        problems_.add({&source, {}},
                      file.overlays.empty() ? "larger than 4 MiB" : "with its overlays larger than 4 MiB");
        return;
    }
    std::vector<Document> documents;
    const auto add = [&](Text& text) {
        if (auto document = parse(file, std::move(text))) documents.push_back(std::move(*document));
    };
    add(file.own);
    const bool has_base = !documents.empty();
    for (auto& overlay : file.overlays) add(overlay);
    const bool complete = documents.size() == 1 + file.overlays.size();
    const auto has = [&](const char* key) {
        return std::any_of(documents.begin(), documents.end(),
                           [&](const Document& document) { return find(document.table, key) != nullptr; });
    };
    Kind kind = file.kind;
    if (kind == Kind::Undecided) {
        kind = (has("command") || has("shell")) && !has("jobs") ? Kind::Job : Kind::Project;
    }
    for (auto& document : documents) document.source->project = kind == Kind::Project;
    if (kind != Kind::Job) return read_project(documents, complete);
    if (documents.empty()) return;
    if (has_base && is_mask(documents.front().table)) {
        masked_.push_back({file.stem, documents.front().source->name});
        return;
    }
    Parts parts;
    for (const auto& document : documents) {
        const auto rank = JobDraft::kOwnRank + static_cast<std::uint32_t>(parts.size());
        parts.push_back({document.source, {1, 1}, &document.table, rank});
    }
    read_job(file.stem, parts, complete);
}

const TomlValue::Table* ConfigurationReader::table_of(const SourceFile& source, const TomlMember& member) {
    const auto* table = member.value.as<TomlValue::Table>();
    if (table == nullptr) {
        problems_.add({&source, member.value.position},
                      quoted(member.key) + " must be a table, not " + std::string(type_name(member.value)));
    }
    return table;
}

void ConfigurationReader::read_project(const std::vector<Document>& documents, bool complete) {
    std::map<std::string, Parts> jobs;
    std::uint32_t rank = 0;
    for (const auto& document : documents) {
        const auto& source = *document.source;
        // [defaults] are below what any job says itself.
        KeyReader reader(problems_, source, ++rank);
        for (const auto& member : document.table) {
            if (member.key == "x") continue;
            if (member.key == "defaults") {
                if (const auto* settings = table_of(source, member)) reader.read_job(*settings, defaults_);
            } else if (member.key == "jobs") {
                collect_jobs(document, JobDraft::kOwnRank + rank, member.value, jobs);
            } else if (member.key == kGroupSection) {
                collect_groups(document, reader, member.value);
            } else if (member.key == kDaemonSection || member.key == kAccessSection) {
                if (const auto* settings = table_of(source, member)) reader.read_daemon(member.key, *settings, daemon_);
            } else {
                problems_.add({&source, member.position},
                              unknown_key_text("project", member.key, member.value.as<TomlValue::Table>() != nullptr));
            }
        }
    }
    jobs_.reserve(jobs_.size() + jobs.size());
    for (const auto& [name, parts] : jobs) read_job(name, parts, complete);
}

void ConfigurationReader::collect_jobs(const Document& document, std::uint32_t rank, const TomlValue& jobs,
                                       std::map<std::string, Parts>& found) {
    const auto& source = *document.source;
    const auto* table = jobs.as<TomlValue::Table>();
    if (table == nullptr) {
        problems_.add({&source, jobs.position},
                      "'jobs' must be tables, not " + std::string(type_name(jobs)) + ": write [jobs.NAME]");
        return;
    }
    for (const auto& member : *table) {
        const auto* settings = member.value.as<TomlValue::Table>();
        if (settings != nullptr) {
            found[member.key].push_back({&source, member.position, settings, rank});
        } else if (find_key("", member.key) != nullptr) {
            problems_.add({&source, member.position},
                          quoted(member.key) + " stands in no job: write it below [jobs.NAME]");
        } else {
            table_of(source, member);
        }
    }
}

void ConfigurationReader::collect_groups(const Document& document, KeyReader& reader, const TomlValue& groups) {
    const auto& source = *document.source;
    const auto* table = groups.as<TomlValue::Table>();
    if (table == nullptr) {
        problems_.add({&source, groups.position},
                      "'groups' must be tables, not " + std::string(type_name(groups)) + ": write [groups.NAME]");
        return;
    }
    for (const auto& member : *table) {
        if (!is_job_name(member.key)) {
            problems_.add({&source, member.position}, quoted(member.key) +
                                                          " cannot name a group: use 1 to 64 of A-Z a-z "
                                                          "0-9 _ . -, not starting with - or .");
        } else if (const auto* settings = table_of(source, member)) {
            auto& group = groups_[member.key];
            if (group.place.file == nullptr) group.place = {&source, member.position};
            reader.read_group(*settings, group);
        }
    }
}

bool ConfigurationReader::may_add(const Place& place, const std::string& name) {
    if (!is_job_name(name)) {
        problems_.add(place, quoted(name) +
                                 " cannot name a job: use 1 to 64 of A-Z a-z 0-9 _ . -, not starting with "
                                 "- or .");
        return false;
    }
    const auto origin = place.file->name + ":" + std::to_string(place.at.line);
    const auto [known, added] = origins_.try_emplace(name, origin);
    if (!added) problems_.add(place, "job " + quoted(name) + " is already defined at " + known->second);
    if (added && origins_.size() > kMostJobs) {
        problems_.add({place.file, {}}, "more than " + std::to_string(kMostJobs) + " jobs");
        full_ = true;
    }
    return added;
}

JobDraft ConfigurationReader::merged(const std::string& name, const Parts& parts) {
    const auto& first = parts.front();
    JobDraft draft = defaults_;
    draft.name = name;
    draft.place = {first.source, first.at};
    draft.home_folder = first.source->project ? first.source->folder : "/";
    for (const auto& part : parts) {
        KeyReader(problems_, *part.source, part.rank).read_job(*part.table, draft);
        if (&part != &parts.back()) excuse_useful(draft, part.rank);
    }
    return draft;
}

/// What has an effect in its own text is no mistake where an overlay takes that away.
void ConfigurationReader::excuse_useful(JobDraft& draft, std::uint32_t rank) {
    const auto stderr_stream = draft.spec.stderr_stream;
    let_stderr_follow(draft);
    const auto useless = useless_settings(draft);
    draft.spec.stderr_stream = stderr_stream;
    for (std::size_t key = 0; key < kKeyCount; ++key) {
        if (draft.marks[key].rank == rank) draft.marks[key].excused = !useless[key];
    }
}

void ConfigurationReader::read_job(const std::string& name, const Parts& parts, bool complete) {
    if (full_) return;
    const Place place{parts.front().source, parts.front().at};
    const bool fits = may_add(place, name);
    if (full_) return;
    JobDraft draft = merged(name, parts);
    if (!fits || !complete) return;
    let_stderr_follow(draft);
    let_schedule_restart(draft);
    except_itself(draft);
    JobResolver::EnvPlaces env_places;
    auto spec = resolver_.resolve(draft, env_places);
    check_total(place, spec);
    references_.add(draft, spec);
    socket_conflicts_.add(draft, spec, problems_);
    note_shortfalls(draft, spec);
    // A configuration with problems is never used: what is kept then is only the memory it takes.
    if (!problems_.empty()) return;
    note_usual_streams(draft);
    spec.key_places = key_places(draft, spec, env_places);
    jobs_.push_back(std::move(spec));
}

void ConfigurationReader::examine_by(const Abilities& abilities, Problems& unenforceable) {
    abilities_ = &abilities;
    unenforceable_ = &unenforceable;
}

void ConfigurationReader::note_shortfalls(const JobDraft& draft, const JobSpec& spec) {
    if (abilities_ == nullptr) return;
    for (const auto& shortfall : shortfalls(spec, *abilities_)) {
        unenforceable_->add(draft.mark(shortfall.key).place,
                            "job " + quoted(spec.name) + ": cannot enforce " + to_text(shortfall),
                            !is_strict(spec, shortfall.key));
    }
}

void ConfigurationReader::let_stderr_follow(JobDraft& draft) {
    const auto& output = draft.spec.stdout_stream;
    if (output.is_shared() && !draft.written(Key::LogStderr)) draft.spec.stderr_stream = output;
}

/// What has failed has its next turn.
void ConfigurationReader::let_schedule_restart(JobDraft& draft) {
    if (draft.spec.type == JobType::Task && !draft.written(Key::Restart)) draft.spec.restart.when = Restart::No;
}

/// What all jobs depend on by [defaults] does not depend on itself.
void ConfigurationReader::except_itself(JobDraft& draft) {
    auto& names = draft.spec.dependencies;
    auto& places = draft.dependency_places;
    const auto drop = [&](Key key, auto& list, auto& at, const auto& name_of) {
        if (draft.own(key)) return;
        for (std::size_t i = list.size(); i-- > 0;) {
            if (name_of(list[i]) != draft.name) continue;
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
            at.erase(at.begin() + static_cast<std::ptrdiff_t>(i));
        }
    };
    const auto itself = [](const std::string& name) -> const std::string& { return name; };
    drop(Key::After, names.after, places.after, itself);
    drop(Key::Before, names.before, places.before, itself);
    drop(Key::Wants, names.wants, places.wants, itself);
    drop(Key::Requires, names.requirements, places.requirements,
         [](const Requirement& one) -> const std::string& { return one.job; });
}

void ConfigurationReader::note_usual_streams(const JobDraft& draft) {
    if (draft.written(Key::LogDir)) return;
    if (!draft.written(Key::LogStdout) && !draft.written(Key::LogPipeTo)) {
        usual_streams_.emplace_back(jobs_.size(), &JobSpec::stdout_stream);
    }
    const bool follows = draft.spec.stdout_stream.is_shared();
    if (!draft.written(Key::LogStderr) && !follows) usual_streams_.emplace_back(jobs_.size(), &JobSpec::stderr_stream);
}

void ConfigurationReader::check_total(const Place& place, const JobSpec& spec) {
    instances_ += std::max<std::size_t>(spec.instances.size(), 1);
    values_ += kValuesOfJob + spec.command.size() + spec.env.size() + spec.instances.size() + spec.tags.size() +
               4 * spec.limits.size() + spec.cpu_affinity.size() + spec.restart.prevent.codes.size() +
               spec.restart.force.codes.size() + spec.restart.success.codes.size() +
               (spec.identity ? spec.identity->groups.size() : 0) + 3 * spec.credentials.size() + 4 * spec.dirs.size() +
               6 * spec.sockets.size() + 4 * spec.sandbox.paths.size() + values_of(spec.dependencies) +
               spec.readiness.probe.argv.size() + spec.health.look.probe.argv.size();
    bytes_ += bytes_of(spec.command) + bytes_of(spec.env) + bytes_of(spec.instances) + spec.working_dir.size() +
              spec.log.dir.size();
    for (const auto& credential : spec.credentials) bytes_ += credential.name.size() + credential.path.size();
    for (const auto& path : spec.sandbox.paths) bytes_ += path.path.size();
    for (const auto& socket : spec.sockets) bytes_ += socket.name.size() + socket.listen.size();
    for (const auto& dir : spec.dirs) bytes_ += dir.base.size() + dir.name.size();
    const Place file{place.file, {}};
    if (instances_ > kMostInstances) {
        problems_.add(file, "more than " + std::to_string(kMostInstances) + " instances of all jobs together");
    } else if (values_ > kMostValues || bytes_ > kMostBytes) {
        problems_.add(file, "too large: the arguments and variables of all jobs together are more than " +
                                std::to_string(kMostBytes >> 20) + " MiB or " + std::to_string(kMostValues) +
                                " values");
    } else {
        return;
    }
    full_ = true;
}

ScheduleMemory ConfigurationReader::remembered(const std::string& state_dir, const std::string& job) const {
    const auto path = state_dir + "/" + std::string(kScheduleState) + job;
    const auto text = surroundings_.small_file(path, surroundings_.own_uid());
    return text && *text ? schedule_memory_of(**text) : ScheduleMemory();
}

Configuration ConfigurationReader::finish(const DaemonPlaces& places) {
    Configuration configuration;
    auto& daemon = configuration.daemon;
    for (auto& [name, group] : groups_) references_.add_group(name, std::move(group));
    references_.set_masked(masked_);
    references_.check(problems_);
    resolve_daemon(daemon, places);
    daemon.log_fault = places.log_fault;
    daemon.masked = std::move(masked_);
    if (daemon.log_fault.empty() && !daemon.log_dir.empty() && !usual_streams_.empty())
        daemon.log_fault = surroundings_.writing_fault(daemon.log_dir).value_or("");
    if (!daemon.log_fault.empty()) {
        const bool forwards = places.shows_lines && places.log_fault.empty();
        const Stream instead{forwards ? Stream::Kind::Forward : Stream::Kind::Inherit, {}};
        for (const auto& [job, stream] : usual_streams_) jobs_[job].*stream = instead;
    }
    references_.connect(jobs_);
    references_.join_groups(jobs_);
    configuration.jobs = std::move(jobs_);
    std::sort(configuration.jobs.begin(), configuration.jobs.end(),
              [](const JobSpec& a, const JobSpec& b) { return a.name < b.name; });
    if (daemon.state_dir.empty()) return configuration;
    for (auto& job : configuration.jobs) {
        if (job.restart.when != Restart::UnlessStopped) continue;
        job.manually_stopped = surroundings_.exists(daemon.state_dir + "/stopped/" + job.name);
    }
    for (auto& job : configuration.jobs) {
        if (job.schedule.is_declared()) job.remembered = remembered(daemon.state_dir, job.name);
    }
    return configuration;
}

void ConfigurationReader::resolve_daemon(DaemonSpec& daemon, const DaemonPlaces& places) {
    const auto choose = [](std::string& place, const std::string& instead, const std::string& otherwise) {
        if (!instead.empty()) place = instead;
        if (place.empty()) place = otherwise;
    };
    daemon = daemon_.spec;
    choose(daemon.state_dir, places.state_dir, places.default_state_dir);
    choose(daemon.log_dir, places.log_dir, places.default_log_dir);
    if (daemon.on_crash && daemon.containment == ContainmentMode::Group) {
        problems_.add(daemon_.on_crash,
                      "'on_crash' is not possible with containment = \"group\": nobody is left who could "
                      "end the processes; write \"auto\"");
    }
    resolve_access(daemon_.admin, daemon.admin);
    resolve_access(daemon_.operate, daemon.operate);
    if (!daemon_.read) return;
    daemon.read = {};
    resolve_access(*daemon_.read, daemon.read);
}

void ConfigurationReader::resolve_access(const std::vector<PlacedName>& names, AccessRule& rule) {
    for (const auto& entry : names) {
        if (entry.name == "*") {
            rule.everyone = true;
        } else if (entry.name.starts_with('@')) {
            const auto gid = resolver_.group_id(entry, std::string_view(entry.name).substr(1));
            if (gid) rule.groups.push_back(*gid);
        } else if (const auto user = resolver_.user_entry(entry)) {
            rule.users.push_back(user->uid);
        }
    }
}

std::variant<Configuration, std::vector<Problem>> read_configuration_text(
    std::string text, const std::string& name, const Surroundings& surroundings,
    std::vector<ConfigurationReader::Text> overlays) {
    Problems problems;
    ConfigurationReader reader(surroundings, problems);
    const auto stem = name.substr(0, name.rfind('.'));
    reader.read({{name, std::move(text)}, "/project", stem, ConfigurationReader::Kind::Undecided, std::move(overlays)});
    auto configuration = reader.finish({});
    if (problems.empty()) return configuration;
    return problems.take();
}

}  // namespace procsup
