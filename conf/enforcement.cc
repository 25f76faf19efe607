#include "conf/enforcement.h"

#include <linux/capability.h>

#include <algorithm>
#include <iterator>

#include "conf/cpu_list.h"
#include "conf/job_text.h"
#include "conf/keys.h"
#include "conf/sandbox_means.h"

namespace procsup {
namespace {

/// A capability that would help and does not: a process may have it in its user namespace alone, where the kernel does not
/// take it for this.
std::string lack_of(const Abilities& abilities, unsigned capability, const std::string& name) {
    const bool has = (abilities.capabilities >> capability & 1) != 0;
    return has ? name + " of this user namespace does not count" : "procsupd lacks " + name;
}

std::string without_resource(const Abilities& abilities) {
    return lack_of(abilities, CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE");
}

std::string without_nice(const Abilities& abilities) { return lack_of(abilities, CAP_SYS_NICE, "CAP_SYS_NICE"); }

/// Collects what cannot be enforced of one job.
class Examination {
public:
    Examination(const JobSpec& spec, const Abilities& abilities) : spec_(spec), abilities_(abilities) {}

    std::vector<Shortfall> all() {
        for (const auto& limit : spec_.limits) examine(limit);
        examine_nice();
        examine_scheduling();
        examine_io();
        examine_cpus();
        examine_oom_score();
        for (const auto& limit : spec_.tree_limits) examine(limit);
        for (auto& shortfall : sandbox_shortfalls(spec_, abilities_)) found_.push_back(std::move(shortfall));
        std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
        return std::move(found_);
    }

private:
    void add(Key key, std::string reason) { found_.push_back({key, limit_setting(spec_, key), std::move(reason)}); }

    void examine(const ResourceLimit& limit) {
        const auto* row = find_limit(limit.resource);
        if (row == nullptr) return;
        const auto text = [&](rlim_t number) { return limit_number_text(limit.resource, number); };
        const rlim_t hard = abilities_.hard_limits[static_cast<std::size_t>(row - kResourceLimits.data())];
        if (limit.resource == RLIMIT_NOFILE && limit.hard > std::max(hard, abilities_.most_open_files)) {
            add(row->key, "above fs.nr_open, which is " + text(abilities_.most_open_files));
        } else if (limit.resource == RLIMIT_NPROC && limit.soft != RLIM_INFINITY && runs_as_root()) {
            add(row->key, "the kernel does not hold root to it; tasks_max does, by a controller");
        } else if (!abilities_.raises_limits && limit.hard > hard) {
            add(row->key, "above the hard limit " + text(hard) + ", and " + without_resource(abilities_));
        }
    }

    bool runs_as_root() const { return abilities_.is_root && (!spec_.identity || spec_.identity->uid == 0); }

    /// A limit of the job's own counts where it can be raised.
    rlim_t own_limit(int resource) const {
        if (!abilities_.raises_limits) return 0;
        const auto found = std::find_if(spec_.limits.begin(), spec_.limits.end(),
                                        [&](const ResourceLimit& limit) { return limit.resource == resource; });
        return found == spec_.limits.end() ? 0 : found->hard;
    }

    void examine_nice() {
        const int by_limit = nice_of_limit(own_limit(RLIMIT_NICE));
        const int least = std::min(abilities_.least_nice, by_limit);
        if (!spec_.nice || *spec_.nice >= least) return;
        add(Key::Nice, "less than " + std::to_string(least) + " is not permitted: " + without_nice(abilities_));
    }

    void examine_scheduling() {
        if (!spec_.scheduling || !spec_.scheduling->realtime()) return;
        const int by_limit = static_cast<int>(std::min<rlim_t>(own_limit(RLIMIT_RTPRIO), 99));
        const int most = std::max(abilities_.most_realtime, by_limit);
        if (spec_.scheduling->priority <= most) return;
        add(Key::Scheduling, (most == 0 ? "real-time scheduling is not permitted: "
                                        : "a priority above " + std::to_string(most) + " is not permitted: ") +
                                 without_nice(abilities_));
    }

    void examine_io() {
        if (abilities_.realtime_io || !spec_.io_priority) return;
        if (spec_.io_priority->io_class != IoPriority::Class::Realtime) return;
        add(Key::IoPriority, "real-time priority is not permitted: " + without_nice(abilities_));
    }

    void examine_cpus() {
        if (abilities_.cpus.empty()) return;
        std::vector<int> missing;
        std::set_difference(spec_.cpu_affinity.begin(), spec_.cpu_affinity.end(), abilities_.cpus.begin(),
                            abilities_.cpus.end(), std::back_inserter(missing));
        if (missing.empty()) return;
        add(Key::CpuAffinity, cpu_list_text(missing) + " cannot be used, only " + cpu_list_text(abilities_.cpus));
    }

    void examine_oom_score() {
        if (!spec_.oom_score_adjust || *spec_.oom_score_adjust >= abilities_.least_oom_score) return;
        add(Key::OomScoreAdjust, "less than " + std::to_string(abilities_.least_oom_score) +
                                     " is not permitted: " + without_resource(abilities_));
    }

    void examine(const TreeLimit& limit) {
        const auto& row = row_of(limit.kind);
        const auto& fault = abilities_.controller_faults[static_cast<std::size_t>(row.controller)];
        if (fault.empty() || limit.value == TreeLimit::kUnlimited) return;
        const bool counts = limit.kind == TreeLimit::Kind::TasksMax;
        add(row.key, fault + (counts ? "; limits.processes counts all processes of the job's user" : ""));
    }

    const JobSpec& spec_;
    const Abilities& abilities_;
    std::vector<Shortfall> found_;
};

}  // namespace

std::vector<Shortfall> shortfalls(const JobSpec& spec, const Abilities& abilities) {
    return Examination(spec, abilities).all();
}

std::string to_text(const Shortfall& shortfall) {
    return key_path(shortfall.key) + " = " + shortfall.value + ": " + shortfall.reason;
}

std::string key_path(Key key) {
    const auto& row = all_keys()[static_cast<std::size_t>(key)];
    return (row.section.empty() ? std::string() : std::string(row.section) + ".") + std::string(row.name);
}

bool is_of_sandbox(Key key) { return all_keys()[static_cast<std::size_t>(key)].section == "sandbox"; }

bool is_strict(const JobSpec& spec, Key key) { return is_of_sandbox(key) ? spec.sandbox.strict : spec.strict_limits; }

std::string limit_setting(const JobSpec& spec, Key key) {
    const auto number = [](const std::optional<int>& value) { return value ? std::to_string(*value) : std::string(); };
    const auto in_quotes = [](const std::string& text) { return text.empty() ? text : "\"" + text + "\""; };
    if (key == Key::Nice) return number(spec.nice);
    if (key == Key::OomScoreAdjust) return number(spec.oom_score_adjust);
    if (key == Key::Scheduling) return spec.scheduling ? in_quotes(word_of(*spec.scheduling)) : std::string();
    if (key == Key::IoPriority) return spec.io_priority ? in_quotes(word_of(*spec.io_priority)) : std::string();
    if (key == Key::CpuAffinity) return in_quotes(cpu_list_text(spec.cpu_affinity));
    if (const auto* row = find_tree_limit(key)) {
        const auto* limit = find_tree_limit(spec, row->kind);
        return limit == nullptr ? std::string() : tree_limit_toml(*limit);
    }
    const auto* row = find_limit(key);
    if (row == nullptr) return sandbox_setting(spec, key);
    const auto found = std::find_if(spec.limits.begin(), spec.limits.end(),
                                    [&](const ResourceLimit& limit) { return limit.resource == row->resource; });
    return found == spec.limits.end() ? std::string() : limit_toml(*found);
}

void write_json(json::Writer& writer, const Abilities& abilities) {
    writer.begin_object().member_int("capabilities", static_cast<std::int64_t>(abilities.capabilities));
    writer.key("hardLimits").begin_array();
    for (std::size_t i = 0; i < kResourceLimits.size(); ++i) {
        const rlim_t hard = abilities.hard_limits[i];
        if (hard == RLIM_INFINITY) continue;
        writer.begin_object().member("key", limit_name(kResourceLimits[i].resource));
        writer.member_int("limit", static_cast<std::int64_t>(std::min<rlim_t>(hard, INT64_MAX))).end_object();
    }
    writer.end_array().member_bool("raisesLimits", abilities.raises_limits).member_bool("isRoot", abilities.is_root);
    if (abilities.most_open_files != RLIM_INFINITY) {
        writer.member_int("mostOpenFiles", static_cast<std::int64_t>(abilities.most_open_files));
    }
    writer.member_int("leastNice", abilities.least_nice).member_int("mostRealtime", abilities.most_realtime);
    writer.member_bool("realtimeIo", abilities.realtime_io);
    writer.member_int("leastOomScore", abilities.least_oom_score);
    if (!abilities.cpus.empty()) writer.member("cpus", cpu_list_text(abilities.cpus));
    writer.member_int("mountsError", abilities.mounts_error).member_int("landlock", abilities.landlock);
    writer.key("controllerFaults").begin_array();
    for (std::size_t i = 0; i < kControllerNames.size(); ++i) {
        const auto& fault = abilities.controller_faults[i];
        if (fault.empty()) continue;
        writer.begin_object().member("controller", kControllerNames[i]).member("reason", fault).end_object();
    }
    writer.end_array().end_object();
}

Result<Abilities> read_abilities(const json::Value& value) {
    const Error unusable{
        "cannot use what describes a procsupd's abilities: it is not as procsupd --abilities prints it"};
    if (value.as_object() == nullptr) return unusable;
    Abilities abilities;
    const auto limit = [](std::int64_t number) { return number < 0 ? RLIM_INFINITY : static_cast<rlim_t>(number); };
    abilities.capabilities = static_cast<std::uint64_t>(value.int_or("capabilities", -1));
    abilities.raises_limits = value.bool_or("raisesLimits", true);
    abilities.is_root = value.bool_or("isRoot", false);
    abilities.most_open_files = limit(value.int_or("mostOpenFiles", -1));
    const auto number = [&](std::string_view name, int otherwise) {
        return static_cast<int>(std::clamp<std::int64_t>(value.int_or(name, otherwise), -1000, 1000));
    };
    abilities.least_nice = number("leastNice", abilities.least_nice);
    abilities.most_realtime = number("mostRealtime", abilities.most_realtime);
    abilities.realtime_io = value.bool_or("realtimeIo", true);
    abilities.least_oom_score = number("leastOomScore", abilities.least_oom_score);
    abilities.mounts_error = number("mountsError", abilities.mounts_error);
    abilities.landlock = number("landlock", abilities.landlock);
    if (const auto* list = value.find("hardLimits")) {
        if (list->as_array() == nullptr) return unusable;
        for (const auto& entry : *list->as_array()) {
            const auto* row = find_key("limits", entry.string_or("key", ""));
            const auto* known = row == nullptr ? nullptr : find_limit(row->key);
            if (known == nullptr) continue;
            abilities.hard_limits[static_cast<std::size_t>(known - kResourceLimits.data())] =
                limit(entry.int_or("limit", -1));
        }
    }
    if (const auto* list = value.find("controllerFaults")) {
        if (list->as_array() == nullptr) return unusable;
        for (const auto& entry : *list->as_array()) {
            const auto name = entry.string_or("controller", "");
            const auto found = std::find(kControllerNames.begin(), kControllerNames.end(), name);
            if (found == kControllerNames.end()) continue;
            abilities.controller_faults[static_cast<std::size_t>(found - kControllerNames.begin())] =
                entry.string_or("reason", "it cannot be enabled");
        }
    }
    if (const auto cpus = value.string_or("cpus", ""); !cpus.empty()) {
        auto list = parse_cpu_list(cpus);
        if (!list) return unusable;
        abilities.cpus = std::move(*list);
    }
    return abilities;
}

}  // namespace procsup
