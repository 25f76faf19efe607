#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/engine/engine_fakes.h"

namespace procsup {

/// Jobs on fakes, called by their names; what is asked of the backend is kept in order.
class Several {
public:
    Several() : supervisor(fakes, fakes, fakes, 1) {}

    static JobSpec job(const std::string& name) {
        JobSpec spec;
        spec.name = name;
        spec.command = {"/bin/" + name};
        spec.restart.jitter = 0;
        spec.restart.when = Restart::OnFailure;
        return spec;
    }
    static JobSpec requiring(const std::string& name, std::vector<Requirement> requirements) {
        auto spec = job(name);
        spec.dependencies.requirements = std::move(requirements);
        return spec;
    }
    static JobSpec resting(JobSpec spec) {
        spec.enabled = false;
        return spec;
    }
    ConfigurationChange configure(std::vector<JobSpec> jobs, Restarts restarts = Restarts::Now) {
        std::sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        return supervisor.configure(std::move(jobs), fakes.now, restarts);
    }

    const Instance& at(const std::string& name) const { return *supervisor.find(supervisor.select(name).front()); }
    State state(const std::string& name) const { return at(name).state(); }
    void run(const std::string& name) {
        const auto incarnation = at(name).incarnation();
        supervisor.spawned(incarnation, static_cast<pid_t>(100 + incarnation), fakes.now);
        supervisor.execed(incarnation, fakes.now);
    }
    void exit(const std::string& name, int code = 0) {
        supervisor.exited(at(name).incarnation(), ExitStatus::exited(code), true, fakes.now);
    }
    void start(const std::string& name) { supervisor.start(supervisor.select(name), "start asked", fakes.now); }
    void stop(std::vector<std::string> names) { supervisor.stop(ids(names), "stop asked", fakes.now); }
    void restart(const std::string& name) { supervisor.restart(supervisor.select(name), "restart asked", fakes.now); }
    std::vector<InstanceId> ids(const std::vector<std::string>& names) const {
        std::vector<InstanceId> all;
        for (const auto& name : names) {
            for (const auto id : supervisor.select(name)) all.push_back(id);
        }
        return all;
    }
    /// What was asked of the backend since the last time.
    std::vector<std::string> calls() { return std::exchange(fakes.calls, {}); }

    EngineFakes fakes;
    Supervisor supervisor;
};

}  // namespace procsup
