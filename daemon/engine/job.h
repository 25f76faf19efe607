#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "daemon/engine/instance.h"
#include "daemon/engine/timetable.h"

namespace procsup {

struct Job;

/// That one job is started after another, and what it needs of that.
struct Link {
    /// Group: that is before it in a group whose members are started in order.
    enum class Kind { After, Wants, Requires, Group };
    Job* to = nullptr;  ///< the other one
    Kind kind = Kind::After;
    Requirement::Condition condition = Requirement::Condition::Ready;    ///< of Kind::Requires
    Requirement::OnRestart on_restart = Requirement::OnRestart::Ignore;  ///< of Kind::Requires
    bool signal_due = false;  ///< `to` has gone down, and the reload signal is sent when it is up again

    /// Whether the job cannot run on without the other.
    bool lasts() const { return kind == Kind::Requires && Requirement::lasts(condition); }
};

/// What links to a job ask of its instances, as sets of bits (links.cc), so that thousands of links cost no look at instances.
struct Standing {
    unsigned all = 0;  ///< what is so of each instance
    unsigned any = 0;  ///< what is so of one or more

    friend bool operator==(const Standing&, const Standing&) = default;
};

/// What serves the connections of a job that accepts: each connection takes the first place that is free, and no more are made
/// than were ever taken at a time.
struct Connections {
    std::shared_ptr<const JobSpec> of;    ///< the job's text
    std::shared_ptr<const JobSpec> spec;  ///< what that makes of each (connection_spec())
    std::vector<std::unique_ptr<Instance>> places;
    std::set<std::uint32_t> free;  ///< of these, by their numbers there
    std::uint64_t begun = 0;       ///< connections, since the job exists
};

/// One configured or transient job with its instances.
struct Job {
    std::shared_ptr<const JobSpec> spec;  // shared with runs started from it, see Instance
    std::vector<std::unique_ptr<Instance>> instances;
    std::vector<std::unique_ptr<Instance>> leaving_instances;  ///< no longer configured, not yet stopped
    std::unique_ptr<Connections> connections;                  ///< of a job that accepts, or has
    bool transient = false;                ///< forgotten when its one run has ended and was reported
    std::optional<std::uint32_t> scaled;   ///< how many instances, where that is not what the file says
    std::unique_ptr<Timetable> timetable;  ///< of a task with [schedule] that is enabled
    std::string schedule_told;             ///< what has become of the last run that was due, where it was not started
    std::vector<InstanceId> queued;        ///< a run of theirs is due, and the one before is not over
    bool leaving = false;                  ///< gone from the configuration: forgotten when it has stopped

    std::vector<Link> links;                ///< to the jobs that this one is started after
    std::vector<Job*> dependents;           ///< that have a link to this one
    std::uint32_t rank = 0;                 ///< higher than that of each job it has a link to
    Standing standing;                      ///< of its instances, at the moment
    std::optional<Standing> standing_told;  ///< at which its dependents were looked at last; none: their links are new
};

/// Also those that are on their way out, and all that have served a connection.
std::vector<const Instance*> all_of(const Job& job);
/// Of what has served connections only what serves one, or has failed to.
std::vector<const Instance*> present_of(const Job& job);
/// Of these places those alone.
std::vector<const Instance*> busy_places_of(const Job& job);

/// What it was scaled to, where that holds with the text `spec`: as long as that says of instances what the one before says.
std::optional<std::uint32_t> scaled_with(const Job& job, const JobSpec& spec);
std::vector<InstanceName> names_with(const JobSpec& spec, std::optional<std::uint32_t> scaled);

}  // namespace procsup
