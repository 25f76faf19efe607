#include "conf/references.h"

#include <algorithm>
#include <array>
#include <set>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"
#include "conf/order.h"

namespace procsup {

void References::add(const JobDraft& draft, const JobSpec& spec) {
    jobs_.try_emplace(spec.name,
                      Job{jobs_.size(), spec.restart.when, spec.instances, spec.health.is_declared(), spec.accepts()});
    add_dependencies(draft, spec);
    if (!spec.daemon_of.empty()) bonds_[spec.name] = {spec.daemon_of, draft.mark(Key::DaemonOf).place};
    const auto& output = spec.stdout_stream;
    if (output.kind == Stream::Kind::Pipe) pipes_[spec.name] = {output.path, draft.mark(Key::LogPipeTo).place};
    if (draft.own(Key::LogStdin)) inputs_[spec.name] = draft.mark(Key::LogStdin).place;
    constexpr std::array kKeys{Key::RuntimeDirs, Key::StateDirs, Key::LogDirs};  // in the order of JobDir::Kind
    for (const auto& dir : spec.dirs) {
        const auto place = draft.mark(kKeys[static_cast<std::size_t>(dir.kind)]).place;
        dirs_[dir.base + "/" + dir.name].push_back({spec.name, place, spec.identity ? spec.identity->uid : 0});
    }
}

void References::check(Problems& problems) const {
    for (const auto& [job, parent] : bonds_) check_bond(job, parent, problems);
    for (const auto& [job, reader] : pipes_) check_pipe(job, reader, problems);
    check_dependencies(problems);
    check_dirs(problems);
}

void References::add_dependencies(const JobDraft& draft, const JobSpec& spec) {
    const auto& places = draft.dependency_places;
    const auto number = jobs_.at(spec.name).number;
    const auto add = [&](const char* key, const std::string& job, const Place& place,
                         std::optional<Requirement::Condition> condition = std::nullopt) {
        dependencies_.push_back({number, key, {job, place}, condition});
    };
    const auto& [after, before, wants, requirements] = spec.dependencies;
    for (std::size_t i = 0; i < after.size(); ++i) add("after", after[i], places.after[i]);
    for (std::size_t i = 0; i < before.size(); ++i) add("before", before[i], places.before[i]);
    for (std::size_t i = 0; i < wants.size(); ++i) add("wants", wants[i], places.wants[i]);
    for (std::size_t i = 0; i < requirements.size(); ++i) {
        add("requires", requirements[i].job, places.requirements[i], requirements[i].condition);
    }
}

void References::check_dependencies(Problems& problems) const {
    std::vector<std::string_view> names(jobs_.size());
    for (const auto& [name, job] : jobs_) names[job.number] = name;
    Order order(names);
    for (const auto& dependency : dependencies_) {
        const auto& [job, key, on, condition] = dependency;
        if (on.job == names[job]) {
            problems.add(on.place, quoted(key) + " names the job itself, " + quoted(on.job));
            continue;
        }
        const auto* other = find(key, on, problems);
        if (other == nullptr) continue;
        check_condition(dependency, *other, problems);
        if (key == std::string_view("before")) {
            order.add(other->number, job, key, on.place);
        } else {
            order.add(job, other->number, key, on.place);
        }
    }
    for (const auto& [job, parent] : bonds_) {
        const auto found = jobs_.find(parent.job);
        if (found != jobs_.end()) order.add(jobs_.at(job).number, found->second.number, "daemon_of", parent.place);
    }
    check_groups(order, problems);
    order.check(problems);
}

void References::check_condition(const Dependency& dependency, const Job& other, Problems& problems) {
    if (dependency.condition == Requirement::Condition::Healthy && !other.has_health) {
        problems.add(dependency.on.place, quoted(dependency.key) + " waits for " + quoted(dependency.on.job) +
                                              " to be healthy, which has no [health] that says when it is: add one, or "
                                              "write condition = \"ready\"");
    }
    const auto when = other.restart;
    const bool never_ends = when == Restart::Always || when == Restart::UnlessStopped;
    const bool never_ends_well = never_ends || when == Restart::OnSuccess;
    const bool hopeless = (dependency.condition == Requirement::Condition::Exited && never_ends) ||
                          (dependency.condition == Requirement::Condition::ExitedOk && never_ends_well);
    if (!hopeless) return;
    problems.add(dependency.on.place, quoted(dependency.key) + " waits for " + quoted(dependency.on.job) +
                                          " to end, which is started again whenever it ends" +
                                          (never_ends ? "" : " well") +
                                          ": give that another 'restart', or write condition = \"ready\"");
}

/// Each start would give it to another one.
void References::check_dirs(Problems& problems) const {
    for (const auto& [path, uses] : dirs_) {
        // Of a name with a placeholder it is not known here.
        if (path.find("${") != std::string::npos) continue;
        const auto& first = uses.front();
        for (const auto& use : uses) {
            if (use.uid == first.uid) continue;
            problems.add(use.place, quoted(path) + " belongs to the job's user, and job " + quoted(first.job) +
                                        ", which has it too, runs as another one");
        }
    }
}

const References::Job* References::find(const char* key, const Reference& reference, Problems& problems) const {
    const auto found = jobs_.find(reference.job);
    if (found != jobs_.end()) return &found->second;
    for (const auto& masked : masked_) {
        if (masked.job != reference.job) continue;
        problems.add(reference.place, quoted(key) + " names " + quoted(reference.job) +
                                          ", which is no job: " + masked.file + " masks it");
        return nullptr;
    }
    std::vector<std::string_view> names;
    for (const auto& [name, job] : jobs_) names.emplace_back(name);
    std::sort(names.begin(), names.end());
    problems.add(reference.place, quoted(key) + " names " + quoted(reference.job) + ", which is no job" +
                                      did_you_mean(reference.job, names));
    return nullptr;
}

void References::check_bond(const std::string& job, const Reference& parent, Problems& problems) const {
    const auto* found = find("daemon_of", parent, problems);
    if (found == nullptr) return;
    const auto& instances = found->instances;
    if (found->accepts) {
        problems.add(parent.place,
                     "'daemon_of' names " + quoted(parent.job) +
                         ", which only listens (accept = true) and never runs itself: it would never be started");
    } else if (const auto circle = circle_from(job, bonds_); !circle.empty()) {
        problems.add(parent.place, "'daemon_of' goes round in a circle: " + circle);
    } else if (!instances.empty() && instances != jobs_.at(job).instances) {
        problems.add(parent.place, "'daemon_of' names " + quoted(parent.job) +
                                       ", which has several instances: give this job the same 'instances'");
    }
}

void References::check_pipe(const std::string& job, const Reference& reader, Problems& problems) const {
    if (reader.job == job) {
        problems.add(reader.place, "'log.pipe_to' names the job itself, " + quoted(job) + ": name another one");
        return;
    }
    const auto* other = find("log.pipe_to", reader, problems);
    if (other == nullptr) return;
    if (other->accepts)
        problems.add(reader.place, "'log.pipe_to' names " + quoted(reader.job) +
                                       ", whose input is what its clients send (accept = true)");
    if (const auto circle = circle_from(job, pipes_); !circle.empty()) {
        problems.add(reader.place, "'log.pipe_to' goes round in a circle: " + circle);
    }
    if (const auto input = inputs_.find(reader.job); input != inputs_.end()) {
        problems.add(input->second, "'log.stdin' cannot be set: the input of " + quoted(reader.job) + " is what " +
                                        quoted(job) + " writes, whose 'log.pipe_to' names it");
    }
}

/// "a, b, a"; empty when what `job` refers to does not lead back to it.
std::string References::circle_from(const std::string& job, const ByJob& references) {
    std::vector<std::string> steps{job};
    for (auto next = references.find(job); next != references.end() && steps.size() <= references.size() + 1;) {
        steps.push_back(next->second.job);
        if (next->second.job == job) return circle_text(steps);
        next = references.find(next->second.job);
    }
    return {};
}

void References::connect(std::vector<JobSpec>& jobs) const {
    std::set<std::string_view> readers;
    for (const auto& [job, reader] : pipes_) readers.insert(reader.job);
    for (auto& job : jobs) {
        if (readers.contains(job.name)) job.stdin_stream = {Stream::Kind::Pipe, {}};
    }
}

}  // namespace procsup
