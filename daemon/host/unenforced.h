#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conf/enforcement.h"

namespace procsup {

/// What of the jobs' settings is not in force: what this procsupd is not able to enforce, and what the kernel refused although it
/// should have been possible. Tells each once for each job, and again only when the setting or the reason has changed.
class Unenforced {
public:
    using Tell = std::function<void(const JobSpec&, const std::string&)>;

    explicit Unenforced(Tell tell) : tell_(std::move(tell)) {}

    void set_abilities(Abilities abilities) { abilities_ = std::move(abilities); }
    const Abilities& abilities() const { return abilities_; }

    /// A run of the job executes its program; `unmet` as in ChildPlan.
    void run_began(const JobSpec& spec, std::uint32_t unmet);
    /// The kernel refused to set `key`.
    void refused(const JobSpec& spec, Key key, const std::string& why);
    void forget(const std::string& job) { jobs_.erase(job); }

    /// In the order of the keys; also of a job that has not been started yet.
    std::vector<Shortfall> of(const JobSpec& spec) const;

private:
    struct Job {
        std::vector<Shortfall> told;
        std::vector<Shortfall> refused;
    };

    void tell_once(const JobSpec& spec, Job& job, const Shortfall& shortfall);

    Tell tell_;
    Abilities abilities_;
    std::map<std::string, Job> jobs_;  ///< those that have any
};

}  // namespace procsup
