// Another number of instances than the file of a job says.
#include <algorithm>
#include <utility>

#include "daemon/engine/supervisor.h"

namespace procsup {
namespace {

std::string some_of(const std::vector<std::string>& names) {
    constexpr std::size_t kMostNamed = 3;
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < kMostNamed; ++i) text += (i > 0 ? ", " : "") + names[i];
    return names.size() > kMostNamed ? text + ", …" : text;
}

/// Why it cannot have so many whatever others are; empty: it can.
std::string own_fault(const JobSpec& spec, std::uint32_t count) {
    if (count < 1) return "a job has at least one instance; procsupctl stop stops it";
    if (count > kMostInstancesOfJob) return "a job has at most " + std::to_string(kMostInstancesOfJob) + " instances";
    if (!has_numbered_instances(spec)) {
        return "its instances have names (" + some_of(spec.instances) + "), and only its file can say which there are";
    }
    const auto last_port = spec.port_base.value_or(0) + static_cast<int>(count) - 1;
    if (last_port > 65535) return "the last instance would have port " + std::to_string(last_port);
    return {};
}

}  // namespace

/// Bonds are from instance to instance: each needs its own.
std::string Supervisor::scaling_fault(const Job& job, std::uint32_t count) const {
    if (job.transient) return "it is a command that runs once";
    if (job.spec->accepts())
        return "each connection has an instance; 'max_connections' in its file says how many there can be";
    if (auto fault = own_fault(*job.spec, count); !fault.empty()) return fault;
    constexpr const char* kBoth = ": write 'instances' in both files";
    for (const auto& [name, other] : jobs_) {
        if (other.transient || other.spec->daemon_of != job.spec->name) continue;
        return name + " is a daemon of it, and each instance has its own" + kBoth;
    }
    const auto parent = jobs_.find(job.spec->daemon_of);
    if (parent != jobs_.end() && !parent->second.spec->instances.empty()) {
        return "it is a daemon of " + parent->first + ", of which each instance has its own" + kBoth;
    }
    const auto more = count > job.instances.size() ? count - job.instances.size() : 0;
    if (instance_count() + more <= kMostInstances) return {};
    return "there would be more than " + std::to_string(kMostInstances) + " instances of all jobs together";
}

std::optional<std::uint32_t> scaled_with(const Job& job, const JobSpec& spec) {
    const bool still = job.scaled && !job.leaving && spec.instances == job.spec->instances;
    return still && own_fault(spec, *job.scaled).empty() ? job.scaled : std::nullopt;
}

std::vector<InstanceName> names_with(const JobSpec& spec, std::optional<std::uint32_t> scaled) {
    return scaled ? instance_names(spec, *scaled) : instance_names(spec);
}

Result<Scaling> Supervisor::scale(const std::string& name, std::uint32_t count, const std::string& cause, TimePoint now,
                                  OnBehalf whom) {
    const auto cannot = [&](const std::string& why) { return Error{"cannot scale '" + name + "': " + why}; };
    const auto found = jobs_.find(name);
    if (found == jobs_.end() || found->second.leaving) return cannot("there is no such job");
    if (shutting_down_) return cannot("procsupd is ending");
    Job& job = found->second;
    if (const auto fault = scaling_fault(job, count); !fault.empty()) return cannot(fault);
    Scaling done;
    done.starts =
        std::any_of(job.instances.begin(), job.instances.end(), [](const auto& one) { return one->wanted(); });
    job.scaled.reset();
    if (count != written_instances(*job.spec)) job.scaled = count;
    auto names = instance_names(*job.spec, count);
    for (std::size_t i = job.instances.size(); i < count; ++i) add_instance(job, std::move(names[i]), done, now);
    while (job.instances.size() > count) {
        job.instances.back()->set_left(true);
        done.leaving.push_back(job.instances.back()->id());
        job.leaving_instances.push_back(std::move(job.instances.back()));
        job.instances.pop_back();
    }
    if (!done.leaving.empty()) ending_jobs_.push_back(name);
    job.standing = standing_of(job);
    bind_daemons();
    stop_in_order(targets(done.leaving, cause), false, now);
    if (done.starts) start(done.added, cause, now, whom);
    reconsider(all_held_up(), now);
    carry_on_rolls(now);
    return done;
}

/// One that is on its way out is taken back: there are never two of a name.
void Supervisor::add_instance(Job& job, InstanceName name, Scaling& done, TimePoint now) {
    auto& leaving = job.leaving_instances;
    const auto same = std::find_if(leaving.begin(), leaving.end(),
                                   [&](const auto& one) { return one->name().instance == name.instance; });
    if (same != leaving.end()) {
        update_instance(**same, std::move(name), job.spec, Restarts::Later, now);
        (*same)->set_left(false);
        job.instances.push_back(std::move(*same));
        leaving.erase(same);
    } else {
        add_instance(job, job.spec, std::move(name), now);
    }
    done.added.push_back(job.instances.back()->id());
}

}  // namespace procsup
