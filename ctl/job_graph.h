#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "ctl/instance_view.h"

/// What io.procsupd.Job.Graph answers, and what follows from it. Pure.
namespace procsup::ctl {

/// That a job is started after another, and what it needs of that.
struct JobLink {
    std::string to;
    std::string kind;  ///< "requires", "wants", "after", "before" (that one says so) or "daemon_of"
    std::string condition, on_restart;
    bool met = true;

    static JobLink of(const json::Value& link);
};

/// The member "links" of an object.
std::vector<JobLink> links_of(const json::Value& parent);

/// How an instance came up for the first time; microseconds since the jobs of procsupd were started.
struct FirstStart {
    std::int64_t wanted = 0;
    std::optional<std::int64_t> started, ready, failed;
    std::string waited_for;  ///< the instance that it waited for last; empty: none
    bool at_boot = false;    ///< wanted when procsupd started its jobs
};

struct GraphInstance {
    std::string name, job, state, awaits;
    bool ready = false;
    std::optional<FirstStart> first_start;

    InstanceView view() const;
};

struct GraphJob {
    std::string name;
    std::int64_t step = 1;
    bool asked = false;
    bool oneshot = false;
    std::vector<JobLink> links;
    std::vector<GraphInstance> instances;

    static GraphJob of(const json::Value& job);
};

struct JobGraph {
    std::vector<GraphJob> jobs;    ///< in the order in which they can be started
    std::vector<GraphJob> former;  ///< one for each instance that is no longer configured and was started with procsupd
    std::int64_t boot_usec = 0;

    /// The jobs of one answer are added.
    void add(const json::Value& answer);
};

struct CriticalStep {
    const GraphJob* job = nullptr;
    const GraphInstance* instance = nullptr;
    std::vector<const JobLink*> links;  ///< to the job of the next step; that has perhaps none any more
};

/// The instance that was ready last, what it waited for, what that waited for, and so on. Of those that were started with procsupd,
/// or, `of_asked`, of the jobs that were asked for. Empty: none was ready yet. Points into `graph`.
std::vector<CriticalStep> critical_path(const JobGraph& graph, bool of_asked);

}  // namespace procsup::ctl
