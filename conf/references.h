#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "conf/job_draft.h"

namespace procsup {

class Order;

/// What jobs say of other jobs, or have together with them; checked when all of them are known.
class References {
public:
    void add(const JobDraft& draft, const JobSpec& spec);
    void add_group(const std::string& name, GroupDraft draft);
    /// Which jobs there are not because a file says so.
    void set_masked(std::vector<MaskedJob> masked) { masked_ = std::move(masked); }
    /// Reports names that no job has, instances and streams that do not fit, circles, and directories of jobs of several users.
    void check(Problems& problems) const;
    /// Says in each job whether another one's output is its input.
    void connect(std::vector<JobSpec>& jobs) const;
    /// Says in each job which group it is in.
    void join_groups(std::vector<JobSpec>& jobs) const;

private:
    struct Job {
        std::size_t number;  ///< in the order of their coming
        Restart restart;
        std::vector<std::string> instances;
        bool has_health;
        bool accepts = false;
    };
    struct Reference {
        std::string job;
        Place place;
    };
    using ByJob = std::map<std::string, Reference, std::less<>>;
    void check_bond(const std::string& job, const Reference& parent, Problems& problems) const;
    void check_dependencies(Problems& problems) const;
    void check_groups(Order& order, Problems& problems) const;
    void check_dirs(Problems& problems) const;
    void check_pipe(const std::string& job, const Reference& reader, Problems& problems) const;
    /// The job that `key` names, or null: there is none.
    const Job* find(const char* key, const Reference& reference, Problems& problems) const;
    static std::string circle_from(const std::string& job, const ByJob& references);

    std::unordered_map<std::string, Job> jobs_;
    std::vector<MaskedJob> masked_;
    ByJob bonds_;  ///< `daemon_of`
    ByJob pipes_;  ///< `log.pipe_to`
    std::map<std::string, GroupDraft> groups_;
    struct Dependency {
        std::size_t job;  ///< its number
        const char* key;  ///< "after", …
        Reference on;
        std::optional<Requirement::Condition> condition{};
    };
    void add_dependencies(const JobDraft& draft, const JobSpec& spec);
    /// Whether what `dependency` waits for can happen.
    static void check_condition(const Dependency& dependency, const Job& other, Problems& problems);
    std::vector<Dependency> dependencies_;
    struct DirUse {
        std::string job;
        Place place;
        uid_t uid = 0;
    };
    std::map<std::string, std::vector<DirUse>, std::less<>> dirs_;  ///< by paths
    std::map<std::string, Place, std::less<>> inputs_;              ///< own `log.stdin`
};

}  // namespace procsup
